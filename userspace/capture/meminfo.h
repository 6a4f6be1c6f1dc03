// SPDX-License-Identifier: Apache-2.0
// /proc/meminfo, /proc/vmstat and /proc/pressure as event payloads. Parsing is apart from reading, for tests.
#pragma once

#include <optional>
#include <string_view>

#include "oomtrace/event.h"

namespace oomtrace::capture {

// "MemTotal:  24674064 kB" lines; unknown lines are passed over, values that overflow are left out.
void parse_meminfo(std::string_view text, SystemMemory& memory);

// "oom_kill 0" lines; balloon figures are pages.
void parse_vmstat(std::string_view text, std::uint32_t page_size, SystemMemory& memory);

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" lines of /proc/pressure/RESOURCE or cgroup *.pressure.
void parse_pressure(std::string_view text, SystemPressure& pressure);

// Whether so little is left, swap counted, that the kernel may soon kill: then nobody should hold on to the memory of
// another process. False where the figures are not told.
bool memory_is_short(const SystemMemory& memory);

bool system_memory_is_short();

std::optional<SystemMemory> read_system_memory();
std::optional<SystemPressure> read_system_pressure(std::string_view resource);

}  // namespace oomtrace::capture
