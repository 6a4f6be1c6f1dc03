// SPDX-License-Identifier: Apache-2.0
// systemd.time(7) and journalctl's --boot, as far as people write them.
#include "cli/time_bounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <tuple>
#include <utility>

#include "base/time_text.h"

namespace oomtrace::cli {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kFarthest = std::int64_t{250} * 366 * 86'400;  // seconds; int64 nanoseconds end in 2262

std::string_view trim(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

bool take(std::string_view& s, char c) {
  if (s.empty() || s.front() != c) return false;
  s.remove_prefix(1);
  return true;
}

std::optional<int> take_digits(std::string_view& s, std::size_t least, std::size_t most) {
  int value = 0;
  std::size_t n = 0;
  for (; n < most && n < s.size() && s[n] >= '0' && s[n] <= '9'; ++n) value = value * 10 + (s[n] - '0');
  if (n < least) return std::nullopt;
  s.remove_prefix(n);
  return value;
}

// Seconds with a fraction as nanoseconds.
std::optional<std::int64_t> take_seconds(std::string_view& s) {
  double value = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value, std::chars_format::fixed);
  if (error != std::errc() || !(value >= 0 && value <= static_cast<double>(kFarthest))) return std::nullopt;
  s.remove_prefix(static_cast<std::size_t>(end - s.data()));
  return std::llround(value * 1e9);
}

std::optional<double> unit_seconds(std::string_view unit) {
  using Unit = std::pair<std::string_view, double>;
  static constexpr std::array<Unit, 29> kUnits{{{"", 1},
                                                {"s", 1},
                                                {"sec", 1},
                                                {"second", 1},
                                                {"seconds", 1},
                                                {"us", 1e-6},
                                                {"usec", 1e-6},
                                                {"ms", 1e-3},
                                                {"msec", 1e-3},
                                                {"m", 60},
                                                {"min", 60},
                                                {"minute", 60},
                                                {"minutes", 60},
                                                {"h", 3600},
                                                {"hr", 3600},
                                                {"hour", 3600},
                                                {"hours", 3600},
                                                {"d", 86400},
                                                {"day", 86400},
                                                {"days", 86400},
                                                {"w", 604800},
                                                {"week", 604800},
                                                {"weeks", 604800},
                                                {"M", 2629800},
                                                {"month", 2629800},
                                                {"months", 2629800},
                                                {"y", 31557600},
                                                {"year", 31557600},
                                                {"years", 31557600}}};
  for (const auto& [name, seconds] : kUnits) {
    if (name == unit) return seconds;
  }
  return std::nullopt;
}

// "2h 30min" as nanoseconds.
std::optional<std::int64_t> parse_span(std::string_view s) {
  double sum = 0;
  s = trim(s);
  if (s.empty()) return std::nullopt;
  while (!(s = trim(s)).empty()) {
    double count = 0;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), count, std::chars_format::fixed);
    if (error != std::errc() || !(count >= 0 && count <= 1e18)) return std::nullopt;
    s.remove_prefix(static_cast<std::size_t>(end - s.data()));
    s = trim(s);
    std::size_t n = 0;
    while (n < s.size() && s[n] != ' ' && s[n] != '.' && (s[n] < '0' || s[n] > '9')) ++n;
    const auto unit = unit_seconds(s.substr(0, n));
    if (!unit) return std::nullopt;
    s.remove_prefix(n);
    sum += count * *unit;
  }
  if (sum > static_cast<double>(kFarthest)) return std::nullopt;
  return std::llround(sum * 1e9);
}

bool is_weekday(std::string_view word) {
  static constexpr std::array<std::string_view, 7> kDays{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  if (word.size() < 3) return false;
  std::string lower(word.substr(0, 3));
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  for (const auto day : kDays) {
    if (lower == day) return true;
  }
  return false;
}

std::tm local_day(std::int64_t now_ns, int days_later) {
  const std::time_t seconds = now_ns / kSecond;
  std::tm day{};
  localtime_r(&seconds, &day);
  day.tm_mday += days_later;
  day.tm_hour = day.tm_min = day.tm_sec = 0;
  day.tm_isdst = -1;
  return day;
}

std::optional<std::int64_t> to_ns(std::tm civil, bool utc, std::int64_t fraction_ns) {
  civil.tm_isdst = -1;
  const std::time_t seconds = utc ? timegm(&civil) : mktime(&civil);
  if (seconds < -kFarthest || seconds > kFarthest) return std::nullopt;
  return static_cast<std::int64_t>(seconds) * kSecond + fraction_ns;
}

// "[2026-03-24][ 14:32[:11[.5]]]" in local time or UTC; without a date it is today's.
std::optional<std::int64_t> parse_civil(std::string_view s, std::int64_t now_ns) {
  bool utc = false;
  for (const std::string_view zone : {" UTC", " GMT", "Z"}) {
    if (!s.ends_with(zone)) continue;
    utc = true;
    s = trim(s.substr(0, s.size() - zone.size()));
    break;
  }
  if (is_weekday(s.substr(0, s.find(' ')))) s = trim(s.substr(std::min(s.size(), s.find(' '))));
  std::tm civil = local_day(now_ns, 0);
  std::string_view t = s;
  bool dated = false;
  if (const auto year = take_digits(t, 4, 4); year && take(t, '-')) {
    const auto month = take_digits(t, 1, 2);
    if (!month || !take(t, '-')) return std::nullopt;
    const auto day = take_digits(t, 1, 2);
    if (!day || *month < 1 || *month > 12 || *day < 1 || *day > 31) return std::nullopt;
    civil.tm_year = *year - 1900;
    civil.tm_mon = *month - 1;
    civil.tm_mday = *day;
    dated = true;
    if (t.empty()) return to_ns(civil, utc, 0);
    if (!take(t, ' ') && !take(t, 'T')) return std::nullopt;
    t = trim(t);
  } else {
    t = s;
  }
  const auto hour = take_digits(t, 1, 2);
  if (!hour || !take(t, ':')) return std::nullopt;
  const auto minute = take_digits(t, 2, 2);
  if (!minute || *hour > 24 || *minute > 59) return std::nullopt;
  std::int64_t second_ns = 0;
  if (take(t, ':')) {
    const auto seconds = take_seconds(t);
    if (!seconds || *seconds >= 61 * kSecond) return std::nullopt;
    second_ns = *seconds;
  }
  if (!t.empty() || (utc && !dated)) return std::nullopt;
  civil.tm_hour = *hour;
  civil.tm_min = *minute;
  return to_ns(civil, utc, second_ns);
}

std::optional<std::int64_t> later(std::int64_t now_ns, std::int64_t by_ns) {
  std::int64_t then_ns = 0;
  return __builtin_add_overflow(now_ns, by_ns, &then_ns) ? std::nullopt : std::optional(then_ns);
}

std::optional<std::int64_t> parse_point(std::string_view s, std::int64_t now_ns) {
  if (s == "now") return now_ns;
  if (s == "today") return to_ns(local_day(now_ns, 0), false, 0);
  if (s == "yesterday") return to_ns(local_day(now_ns, -1), false, 0);
  if (s == "tomorrow") return to_ns(local_day(now_ns, 1), false, 0);
  if (s.starts_with('@')) {
    std::string_view t = s.substr(1);
    const auto seconds = take_seconds(t);
    return t.empty() ? seconds : std::nullopt;
  }
  if (s.starts_with('-') || s.starts_with('+')) {
    const auto span = parse_span(s.substr(1));
    if (!span) return std::nullopt;
    return later(now_ns, s.front() == '-' ? -*span : *span);
  }
  for (const auto& [word, sign] : {std::pair<std::string_view, int>{" ago", -1}, {" left", 1}}) {
    if (!s.ends_with(word)) continue;
    const auto span = parse_span(s.substr(0, s.size() - word.size()));
    if (!span) return std::nullopt;
    return later(now_ns, sign * *span);
  }
  if (const auto exact = parse_rfc3339(s)) return exact;
  return parse_civil(s, now_ns);
}

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

Result<std::int64_t> parse_time_point(std::string_view text, std::int64_t now_ns) {
  if (const auto point = parse_point(trim(text), now_ns)) return *point;
  return fail(Errc::kUsage, fmt::format("\"{}\" is no point in time", text), 0,
              "write it as journalctl does: '2026-03-24 14:32:11', yesterday, -2h, @1774362731");
}

Result<TimeBounds> TimeBounds::parse(const std::string& since, const std::string& until, std::int64_t now_ns) {
  TimeBounds bounds;
  for (const auto& [option, text, bound] :
       {std::tuple{"--since", &since, &bounds.since_ns}, std::tuple{"--until", &until, &bounds.until_ns}}) {
    if (text->empty()) continue;
    auto point = parse_time_point(*text, now_ns);
    if (!point) return tl::make_unexpected(std::move(point).error().within(option));
    *bound = *point;
  }
  // Reports show times to the second: what is read off there must hold what it was read from.
  if (bounds.until_ns && *bounds.until_ns % kSecond == 0 && *bounds.until_ns <= INT64_MAX - kSecond)
    *bounds.until_ns += kSecond - 1;
  if (bounds.since_ns && bounds.until_ns && *bounds.since_ns > *bounds.until_ns)
    return fail(Errc::kUsage, "--since is later than --until");
  return bounds;
}

Result<BootChoice> BootChoice::parse(std::string_view text) {
  BootChoice choice;
  const std::string plain = plain_boot_id(text);
  if (text == "all") {
    choice.all = true;
    return choice;
  }
  std::size_t hex = 0;
  while (hex < plain.size() && is_hex(plain[hex])) ++hex;
  std::string_view rest = text;
  if (hex >= 32) {
    choice.id = plain.substr(0, 32);
    std::size_t taken = 0;  // of the text as it was written, dashes included
    for (std::size_t digits = 0; digits < 32; ++taken) digits += text[taken] == '-' ? 0 : 1;
    rest.remove_prefix(taken);
  }
  if (!rest.empty()) {
    if (rest.front() == '+') rest.remove_prefix(1);
    std::int32_t offset = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), offset);
    if (error == std::errc() && end == rest.data() + rest.size()) {
      choice.offset = offset;
      return choice;
    }
  } else if (!choice.id.empty()) {
    return choice;
  }
  return fail(Errc::kUsage, fmt::format("--boot: \"{}\" names no boot", text), 0,
              "0 is this boot, -1 the one before; `journalctl --list-boots` has all with their IDs");
}

std::string BootChoice::text() const {
  if (all) return "all";
  if (!offset) return id;
  return id.empty() ? fmt::format("{}", *offset) : fmt::format("{}{:+}", id, *offset);
}

std::string plain_boot_id(std::string_view id) {
  std::string plain;
  for (const char c : id) {
    if (c != '-') plain += c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c;
  }
  return plain;
}

}  // namespace oomtrace::cli
