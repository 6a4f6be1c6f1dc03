// SPDX-License-Identifier: Apache-2.0
// The memory cgroup's part of a report: counters with their limits, and memory.stat in its two printed forms.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kernel_log/oom_report.h"

namespace oomtrace::kernel_log {

// "memory: usage NkB, limit NkB, failcnt N", and the same for "memory+swap", "swap" (v2) and "kmem" (v1).
enum class UsageKind { kMemory, kMemorySwap, kSwap, kKmem };
struct UsageLine {
  UsageKind kind = UsageKind::kMemory;
  MemcgUsage usage;
};
std::optional<UsageLine> parse_usage(std::string_view message);

// A limit that page_counter or res_counter print for "none": PAGE_COUNTER_MAX is LONG_MAX / PAGE_SIZE pages, so that
// the number tells the page size too (0 where it does not).
struct UnlimitedMark {
  bool unlimited = false;
  std::uint32_t page_size = 0;
};
UnlimitedMark unlimited_mark(std::uint64_t limit_kb);

// "Memory cgroup stats for PATH:", with "cache:0KB rss:980KB ..." behind it before 5.2. The path is empty if it was
// cut.
std::optional<MemcgStats> parse_stats_head(std::string_view message);
// "anon 66760704" of later kernels (bytes), several behind one another where lines were joined; adds to `stats`, false
// if the line is no such list.
bool parse_stats_line(std::string_view message, MemcgStats& stats);

}  // namespace oomtrace::kernel_log
