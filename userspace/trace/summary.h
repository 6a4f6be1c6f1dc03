// SPDX-License-Identifier: Apache-2.0
// What a trace holds, without replaying it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "oomtrace/result.h"

namespace oomtrace::trace {

struct KillSummary {
  std::uint64_t incident_id = 0;
  std::int64_t wall_ns = 0;  // 0 = not known
  std::uint32_t pid = 0;
  std::string comm;
  std::string domain;  // as in oom.domain
  std::string cgroup;  // whose limit was hit; empty: none or not known
};

struct TraceSummary {
  std::string trace_id;
  std::string host;
  std::string boot_id;
  std::uint64_t events = 0;
  std::uint64_t to_boot_ns = 0;                   // CLOCK_BOOTTIME of the last event
  std::int64_t from_wall_ns = 0, to_wall_ns = 0;  // 0 = not known
  std::vector<KillSummary> kills;                 // processes killed, in order; the first of very many
  std::uint64_t more_kills = 0;                   // beyond those
  std::vector<std::string> notes;                 // what was damaged
};

// Decompresses all of the file and decodes its first and last line and its kills.
// Errors: those of Reader.
Result<TraceSummary> summarize(const std::string& path);

}  // namespace oomtrace::trace
