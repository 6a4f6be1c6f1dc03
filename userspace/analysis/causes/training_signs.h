// SPDX-License-Identifier: Apache-2.0
// What a trainer had done before its memory rose: whether its optimizer had stepped, and whether it had such peaks
// before.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "analysis/causes/shape.h"

namespace oomtrace::analysis {

struct StepSigns {
  // Written to in place while forked workers mapped the same pages: weights that an optimizer step updates.
  std::int64_t written_in_place = 0;
  // Taken and given back within the stretch before the burst, at the most at once: gradients freed at each step.
  std::int64_t turned_over = 0;
  // Earlier peaks of at least half the burst's height that fell back again, and the highest of them above what
  // surrounded it.
  unsigned spikes = 0;
  std::int64_t highest_spike = 0;
};

StepSigns step_signs(const IncidentContext& incident, const model::Process& trainer, const Shape& shape);

// A library, an environment variable or an argument by which the trainer keeps optimizer state or parameters in host
// memory: "cpu_adam", "FSDP_OFFLOAD_PARAMS".
std::optional<std::string> offload_sign(const model::Process& trainer);

}  // namespace oomtrace::analysis
