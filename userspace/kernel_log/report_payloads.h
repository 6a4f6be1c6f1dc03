// SPDX-License-Identifier: Apache-2.0
// The payloads of one OOM report's events. Views are of the report, which has to outlive them.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "kernel_log/note.h"
#include "kernel_log/oom_report.h"
#include "oomtrace/event.h"

namespace oomtrace::kernel_log {

// Mem-Info in bytes; what it counts in pages is left out where the page size is not known. `cached` holds buffers too,
// and `anon` is what the anonymous LRU lists hold without shmem: Mem-Info has no better figures.
SystemMemory system_memory(const OomReport& report, std::optional<std::uint32_t> page_size);

// One for each memory.stat block, the first with the counters; one without statistics where there is no block.
std::vector<CgroupMemory> cgroup_memory(const OomReport& report, std::uint64_t incident);

// The victims in the order in which they were killed, with the time of their lines; one without a victim where none is
// named. Where the kill line is missing the victim is taken from the oom-kill line, or the choice of old kernels.
std::vector<std::pair<Stamp, OomKill>> kill_payloads(const OomReport& report, std::uint64_t incident,
                                                     std::optional<std::uint32_t> page_size);

OomCandidate candidate_payload(const TaskRow& row, std::uint64_t incident, std::optional<std::uint32_t> page_size);
OomEnd end_payload(const OomReport& report, std::uint64_t incident);
MemoryCounters reaped_memory(const Note& note);

}  // namespace oomtrace::kernel_log
