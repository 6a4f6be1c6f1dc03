// SPDX-License-Identifier: Apache-2.0
// How much room a process had.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/context.h"
#include "oomtrace/report.h"

namespace oomtrace::analysis {

struct Room {
  std::string where;                          // "its cgroup /job", "the machine"
  std::string source;                         // the event that told it
  std::int64_t used = 0;                      // bytes, at the moment
  std::int64_t size = 0;                      // bytes
  std::int64_t most_used = 0;                 // bytes, at the highest sample up to then
  std::optional<std::int64_t> cache_at_most;  // bytes of most_used that were page cache
};

// At a moment: of the nearest limited cgroup of the process, else of the machine; nullopt where neither was sampled.
std::optional<Room> room_at(const Context& context, const model::Process& process, std::uint64_t at_ns);

void add_evidence(const Room& room, std::vector<Evidence>& evidence);

}  // namespace oomtrace::analysis
