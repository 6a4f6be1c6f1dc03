// SPDX-License-Identifier: Apache-2.0
#include "cli/whatif_change.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <string_view>

namespace oomtrace::cli {

namespace {

constexpr std::int32_t kAdjMin = -1000;  // include/uapi/linux/oom.h
constexpr std::int32_t kAdjMax = 1000;

// The whole of `text` as a number.
template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end || text.empty()) return std::nullopt;
  return number;
}

Result<std::pair<std::uint32_t, std::int32_t>> parse_adj(const std::string& word) {
  const std::size_t equals = word.find('=');
  const auto pid = whole_number<std::uint32_t>(std::string_view(word).substr(0, equals));
  if (equals == std::string::npos || !pid)
    return fail(Errc::kUsage, fmt::format("--oom-score-adj takes PID=N, not '{}'", word));
  const auto value = whole_number<std::int32_t>(std::string_view(word).substr(equals + 1));
  if (!value || *value < kAdjMin || *value > kAdjMax)
    return fail(Errc::kUsage, fmt::format("oom_score_adj goes from {} to {}, not '{}'", kAdjMin, kAdjMax,
                                          std::string_view(word).substr(equals + 1)));
  return std::pair{*pid, *value};
}

// As memory.max takes it (mm/page_counter.c, page_counter_memparse; lib/cmdline.c, memparse).
Result<std::uint64_t> parse_limit(std::string_view word) {
  static constexpr std::string_view kSuffixes = "KMGTPE";
  const std::string_view all = word;
  unsigned shift = 0;
  if (!word.empty()) {
    const char suffix =
        word.back() >= 'a' && word.back() <= 'z' ? static_cast<char>(word.back() - 'a' + 'A') : word.back();
    if (const std::size_t at = kSuffixes.find(suffix); at != std::string_view::npos) {
      shift = 10U * (static_cast<unsigned>(at) + 1);
      word.remove_suffix(1);
    }
  }
  const auto number = whole_number<std::uint64_t>(word);
  if (!number || *number == 0 || *number > (std::numeric_limits<std::uint64_t>::max() >> shift))
    return fail(Errc::kUsage, fmt::format("--limit takes bytes, such as 335544320 or 320M, not '{}'", all));
  return *number << shift;
}

}  // namespace

Result<WhatIf> parse_change(const WhatIfOptions& options) {
  WhatIf change;
  for (const std::string& word : options.oom_score_adj) {
    auto adj = parse_adj(word);
    if (!adj) return tl::make_unexpected(std::move(adj).error());
    change.oom_score_adj.push_back(*adj);
  }
  change.without = options.without;
  if (!options.limit.empty()) {
    auto limit = parse_limit(options.limit);
    if (!limit) return tl::make_unexpected(std::move(limit).error());
    change.limit_bytes = *limit;
  }
  if (change.oom_score_adj.empty() && change.without.empty() && !change.limit_bytes)
    return fail(Errc::kUsage, "nothing is to be changed", 0,
                "give --oom-score-adj PID=N, --without PID or --limit BYTES");
  return change;
}

}  // namespace oomtrace::cli
