// SPDX-License-Identifier: Apache-2.0
// A burst of the trainer: a jump in seconds out of a calm level. What offload_burst and checkpoint_spike have in
// common.
#pragma once

#include <optional>

#include "analysis/causes/training_signs.h"

namespace oomtrace::analysis {

struct Burst {
  Group group;
  Shape shape;
  StepSigns signs;
  // [0, 1]: how far the optimizer is known to have stepped before the burst. Its state was there then, so that the
  // burst must be something else: a copy of it.
  double stepped = 0;
};

// nullopt where no trainer leads the growth or where it grew in another way.
std::optional<Burst> find_burst(const IncidentContext& incident);

}  // namespace oomtrace::analysis
