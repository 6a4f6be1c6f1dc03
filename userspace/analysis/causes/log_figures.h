// SPDX-License-Identifier: Apache-2.0
// What the kernel's log says of memory at the moment of a kill: all that detectors have where nobody recorded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/causes/cause.h"

namespace oomtrace::analysis {

// Bytes; nullopt where the log does not say it. `used` is the memory cgroup's usage, or the machine's memory less what
// is free.
struct LogFigures {
  std::uint64_t used = 0;
  std::optional<std::uint64_t> anon, shmem, cache, kernel, unevictable, dirty, free, swap_total, swap_free, balloon;
  std::optional<std::uint64_t> unnamed;  // used, and in none of the counters
  std::string source;                    // "memory.stat in the kernel log", "Mem-Info in the kernel log"

  double share(std::uint64_t bytes) const {
    return used == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(used);
  }
};

// nullopt where a recorder watched the growth, which is better evidence, or the log has no figures of the domain.
std::optional<LogFigures> figures_at_kill(const IncidentContext& incident);

// Processes of one name among the candidates.
struct NamedGroup {
  std::string comm;
  model::Role role = model::Role::kOther;
  std::size_t count = 0;
  std::uint64_t rss = 0;     // bytes, summed: shared pages count once for each process
  std::uint64_t median = 0;  // bytes
  std::size_t alike = 0;     // within half and double of the median
};

// By summed resident size, largest first; empty where the page size or the table is not known.
std::vector<NamedGroup> groups_by_name(const model::World& world, const IncidentContext& incident);

}  // namespace oomtrace::analysis
