// SPDX-License-Identifier: Apache-2.0
// One process's end and what is to be told of it; between verdicts and their chains.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "analysis/context.h"
#include "oomtrace/report.h"

namespace oomtrace::analysis {

struct Ending {
  const model::Process* process = nullptr;
  std::uint64_t at_ns = 0;
  Death death;
  model::ProcessId because_of = model::kNoProcess;  // death.because_of_pid, likewise
  model::ProcessId sender = model::kNoProcess;      // death.sender, whose pid another may have by now
  bool oom = false;                                 // by the kernel's OOM killer
  bool violent = false;                             // not of its own will: a signal of any kind
};

using Endings = std::map<model::ProcessId, Ending>;

// The verdict on every process whose end is known; nothing is left out yet.
Endings judge(const Context& context);

// Sets because_of_pid where one end followed from another.
void chain(const Context& context, Endings& endings);

}  // namespace oomtrace::analysis
