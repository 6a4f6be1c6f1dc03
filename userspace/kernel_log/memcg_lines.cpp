// SPDX-License-Identifier: Apache-2.0
// The memory cgroup's part of a report.
#include "kernel_log/memcg_lines.h"

#include "kernel_log/scan.h"

namespace oomtrace::kernel_log {
namespace {

constexpr std::size_t kMaxStats = 160;  // memory.stat of 7.3 has about 70

bool is_stat_name(std::string_view s) {
  if (s.empty() || s.size() > 48) return false;
  for (const char c : s) {
    if (!(c >= 'a' && c <= 'z') && !is_digit(c) && c != '_') return false;
  }
  return !is_digit(s.front());
}

void add(MemcgStats& stats, std::string_view name, std::uint64_t value) {
  if (stats.values.size() < kMaxStats) stats.values.emplace_back(std::string(name), value);
}

// "cache:0KB rss:980KB".
bool parse_pairs(std::string_view s, MemcgStats& stats) {
  bool any = false;
  while (!(s = trim_front(s)).empty()) {
    std::string_view word = take_word(s);
    const auto colon = word.find(':');
    if (colon == word.npos || !is_stat_name(word.substr(0, colon))) return any;
    std::string_view digits = word.substr(colon + 1);
    const auto value = take_number<std::uint64_t>(digits);
    if (!value || digits != "KB" || *value > (~0ULL >> 10)) return any;
    add(stats, word.substr(0, colon), *value * 1024);
    any = true;
  }
  return any;
}

}  // namespace

std::optional<UsageLine> parse_usage(std::string_view message) {
  UsageLine line;
  std::string_view s = message;
  // "memory: usage" may have an unknown prefix before it; the others are told by what precedes the colon.
  const auto at = s.find(": usage ");
  if (at == s.npos || !contains(s, "limit ")) return std::nullopt;
  const std::string_view head = s.substr(0, at);
  if (head.ends_with("memory+swap")) {
    line.kind = UsageKind::kMemorySwap;
  } else if (head.ends_with("memory")) {
    line.kind = UsageKind::kMemory;
  } else if (head.ends_with("swap")) {
    line.kind = UsageKind::kSwap;
  } else if (head.ends_with("kmem")) {
    line.kind = UsageKind::kKmem;
  } else {
    return std::nullopt;
  }
  s = s.substr(at);
  line.usage.usage_kb = kb_after(s, "usage ");
  line.usage.limit_kb = kb_after(s, "limit ");
  line.usage.failcnt = number_after<std::uint64_t>(s, "failcnt ");
  if (line.usage.limit_kb && unlimited_mark(*line.usage.limit_kb).unlimited) {
    line.usage.unlimited = true;
  }
  return line;
}

UnlimitedMark unlimited_mark(std::uint64_t limit_kb) {
  for (const std::uint32_t page_size : {4096U, 8192U, 16384U, 65536U, 262144U}) {
    const std::uint64_t pages = 0x7fffffffffffffffULL / page_size;
    if (limit_kb == pages * (page_size / 1024)) return {true, page_size};
  }
  // 32-bit: LONG_MAX pages; res_counter before 3.19: LLONG_MAX or ULLONG_MAX bytes.
  for (const std::uint64_t none : {0x7fffffffULL * 4, 0x7fffffffffffffffULL >> 10, ~0ULL >> 10}) {
    if (limit_kb == none) return {true, 0};
  }
  return {limit_kb >= (1ULL << 52), 0};
}

std::optional<MemcgStats> parse_stats_head(std::string_view message) {
  auto rest = after(message, "emory cgroup stats for ");
  if (!rest) rest = after(message, "emory cgroup stats");
  if (!rest) return std::nullopt;
  MemcgStats stats;
  std::string_view s = *rest;
  // The path may hold colons; the first pair of the old form, or the line's end, is behind the last one that counts.
  auto colon = s.find(":cache:");
  if (colon == s.npos) colon = s.find(": cache:");
  if (colon == s.npos) colon = s.rfind(':');
  if (colon == s.npos) return ends_cut(s) || s.empty() ? std::optional(stats) : std::nullopt;
  stats.path = s.substr(0, colon);
  parse_pairs(s.substr(colon + 1), stats);
  return stats;
}

bool parse_stats_line(std::string_view message, MemcgStats& stats) {
  std::string_view s = trim(message);
  if (parse_pairs(s, stats)) return true;
  bool any = false;
  while (!(s = trim_front(s)).empty()) {
    const std::string_view name = take_word(s);
    s = trim_front(s);
    const auto value = take_number<std::uint64_t>(s);
    if (!is_stat_name(name) || !value || (!s.empty() && !is_blank(s.front()))) return any;
    add(stats, name, *value);
    any = true;
  }
  return any;
}

}  // namespace oomtrace::kernel_log
