// SPDX-License-Identifier: Apache-2.0
// Counters of one memory cgroup, v1 or v2, as an event payload.
#pragma once

#include <optional>
#include <string>

#include "oomtrace/event.h"

namespace oomtrace::capture {

// `directory`: the cgroup's, under the memory controller's mount. Fields that the kernel has no file for stay unset;
// nullopt where the cgroup has gone. The caller sets `cgroup`.
std::optional<CgroupMemory> read_cgroup_memory(const std::string& directory, int version);

// memory.stat of v1 ("total_" figures: with descendants) and v2, bytes.
void parse_memory_stat(std::string_view text, int version, CgroupMemory& memory);

enum class MemoryLimit { kSet, kNone, kGone };  // kGone: there is no such cgroup any more
MemoryLimit find_memory_limit(const std::string& directory, int version);

}  // namespace oomtrace::capture
