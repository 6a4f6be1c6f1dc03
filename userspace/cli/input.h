// SPDX-License-Identifier: Apache-2.0
// Inputs of report and stream: traces, event streams and kernel logs, told apart by content.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "oomtrace/event.h"
#include "oomtrace/result.h"

namespace oomtrace::cli {

struct InputSummary {
  std::string kind;                // "trace", "ndjson", "kernel_log"; of several kinds the first
  std::string name;                // what was read, for people
  std::vector<std::string> notes;  // cuts, damage and gaps in words
};

// Gives the events of all inputs in order, each once; kernel logs after the traces. "-" is standard input.
// Errors: Errc::kInput (unreadable, empty, of no known kind), kSchemaTooNew, kPermission; the message names the input.
Result<InputSummary> read_inputs(const std::vector<std::string>& paths, const std::function<void(const Event&)>& take);

// The newest *.oomtrace in the working directory; nullopt: none.
std::optional<std::string> newest_trace_here();

}  // namespace oomtrace::cli
