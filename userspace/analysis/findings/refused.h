// SPDX-License-Identifier: Apache-2.0
// Rules that refuse an allocation before memory runs out: RLIMIT_AS and strict overcommit.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/ending.h"
#include "oomtrace/report.h"

namespace oomtrace::analysis {

struct Refusal {
  std::string rule;       // in words, with its figures
  double confidence = 0;  // that it refused: nobody saw the call fail
  bool address_space = false;
};

// The rule that may have refused an allocation to a process that ended with an error; its figures go to `evidence` also
// where they are far from their limits.
std::optional<Refusal> refusal_of(const Context& context, const Ending& ending, std::vector<Evidence>& evidence);

Remedy remedy_of(const Refusal& refusal);

}  // namespace oomtrace::analysis
