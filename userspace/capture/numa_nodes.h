// SPDX-License-Identifier: Apache-2.0
// NUMA nodes and the memory that they have.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace oomtrace::capture {

// node_present_pages() of each node, by its number, from the text of /proc/zoneinfo (mm/vmstat.c): what the kernel
// counts a cpuset's or policy's nodes as. A node that has none is 0. Memory hotplug changes it.
std::vector<std::uint64_t> parse_present_pages(std::string_view zoneinfo);

// Of this machine; empty where /proc/zoneinfo cannot be read.
std::vector<std::uint64_t> read_node_present_pages();

}  // namespace oomtrace::capture
