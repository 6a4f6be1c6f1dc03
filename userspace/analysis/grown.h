// SPDX-License-Identifier: Apache-2.0
// A process that grew, and its row of the report.
#pragma once

#include "model/process.h"
#include "oomtrace/report.h"

namespace oomtrace::analysis {

// The row names a process by its pid, which another may have had in the same window or taken since.
struct Grown {
  const model::Process* process = nullptr;
  ProcessGrowth row;
};

}  // namespace oomtrace::analysis
