// SPDX-License-Identifier: Apache-2.0
// Makes an old trace smaller: keeps what explains kills and deaths, thins what only fills the curves between them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "oomtrace/result.h"

namespace oomtrace::trace {

struct ThinOptions {
  std::uint64_t before_kill_ns = 120'000'000'000;  // kept whole before a kill: the window that reports look at,
  std::uint64_t after_kill_ns = 10'000'000'000;    // and after it
  std::uint64_t keep_every_ns = 60'000'000'000;    // elsewhere, of each process, cgroup and machine figure
  std::chrono::steady_clock::time_point until = std::chrono::steady_clock::time_point::max();  // given up then
};

struct ThinResult {
  std::uint64_t lines = 0;  // read
  std::uint64_t kept = 0;
  std::uint64_t bytes = 0;  // of the new file
};

// Reads the trace `from` twice and writes `to`, which must not be there yet. Of process.memory, system.* and
// cgroup.memory outside of the time around kills one in keep_every_ns stays for each subject; all other kinds stay
// whole. Errors: those of Reader and Writer, kInput after options.until; `to` is gone then.
Result<ThinResult> thin_trace(const std::string& from, const std::string& to, const ThinOptions& options = {});

}  // namespace oomtrace::trace
