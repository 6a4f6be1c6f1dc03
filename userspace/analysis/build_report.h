// SPDX-License-Identifier: Apache-2.0
// From a replayed World to the Report.
#pragma once

#include <string>
#include <vector>

#include "model/world.h"
#include "oomtrace/report.h"

namespace oomtrace::analysis {

// What the reader knows of the input, and the events do not.
struct SourceInfo {
  std::string kind;                // "trace", "ndjson", "kernel_log"
  std::string name;                // what was read, for people
  std::vector<std::string> notes;  // cuts and damage in words
};

// Pure: the same World gives the same Report.
Report build_report(const model::World& world, const SourceInfo& source);

}  // namespace oomtrace::analysis
