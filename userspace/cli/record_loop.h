// SPDX-License-Identifier: Apache-2.0
// The consumer's loop: waits for kills, the clock, signals and the end of CMD.
#pragma once

#include <functional>
#include <optional>

#include "capture/session.h"
#include "cli/child.h"
#include "oomtrace/result.h"

namespace oomtrace::cli {

struct LoopEnd {
  const char* reason = "signal";      // of trace.stop
  std::optional<int> command_status;  // wait(2) status of CMD
};

// Runs until SIGINT or SIGTERM (both blocked by block_signals() before), until CMD ends, or until `finished` says so.
// Signals go on to CMD first, whose end then ends the loop. `each_second` is called about once a second.
Result<LoopEnd> run_loop(capture::Session& session, Child* child, const std::function<void()>& each_second,
                         const std::function<bool()>& finished);

// Blocks the signals that the loop takes from a descriptor; call before any thread starts.
void block_signals();

}  // namespace oomtrace::cli
