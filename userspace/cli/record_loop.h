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

struct LoopHooks {
  std::function<void()> after_service;  // some twenty times a second, after a kill at once
  std::function<void()> each_second;
  std::function<bool()> finished;
  // SIGHUP that a program sent, not a terminal that hung up: true where files were opened anew and the loop goes on.
  std::function<bool()> reopen;
};

// Runs until SIGINT or SIGTERM (both blocked by block_signals() before), until CMD ends, or until `finished` says so.
// Signals go on to CMD first, whose end then ends the loop. `child` may be null, hooks may be empty.
Result<LoopEnd> run_loop(capture::Session& session, Child* child, const LoopHooks& hooks);

// Blocks the signals that the loop takes from a descriptor; call before any thread starts.
void block_signals();

}  // namespace oomtrace::cli
