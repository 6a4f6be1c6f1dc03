// SPDX-License-Identifier: Apache-2.0
// The time stamps that stand in front of kernel messages.
#include "kernel_log/timestamp.h"

#include <array>

#include "kernel_log/scan.h"

namespace oomtrace::kernel_log {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

struct Clock {
  std::uint32_t hour = 0, minute = 0, second = 0, nanosecond = 0;
};

std::optional<std::uint32_t> take_digits(std::string_view& s, std::size_t count) {
  if (s.size() < count) return std::nullopt;
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_digit(s[i])) return std::nullopt;
    value = value * 10 + static_cast<std::uint32_t>(s[i] - '0');
  }
  s.remove_prefix(count);
  return value;
}

// Digits behind a point as billionths.
std::uint32_t take_fraction(std::string_view& s) {
  std::uint32_t value = 0, scale = 100'000'000;
  for (; !s.empty() && is_digit(s.front()); s.remove_prefix(1), scale /= 10) {
    value += static_cast<std::uint32_t>(s.front() - '0') * scale;
  }
  return value;
}

// "14:32:11" with a fraction.
bool take_clock(std::string_view& s, Clock& clock) {
  std::string_view t = s;
  const auto hour = take_digits(t, 2);
  if (!hour || !take(t, ':')) return false;
  const auto minute = take_digits(t, 2);
  if (!minute || !take(t, ':')) return false;
  const auto second = take_digits(t, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return false;
  clock = {*hour, *minute, *second, 0};
  if (t.size() > 1 && (t[0] == '.' || t[0] == ',') && is_digit(t[1])) {
    t.remove_prefix(1);
    clock.nanosecond = take_fraction(t);
  }
  s = t;
  return true;
}

// Month names by their first letters in English, German, French, Spanish, Italian, Portuguese and Dutch; CJK dates
// write the number before U+6708.
std::uint32_t month_of(std::string_view word) {
  std::string_view digits = word;
  if (const auto number = take_number<std::uint32_t>(digits)) {
    return digits.starts_with("\xe6\x9c\x88") && *number <= 12 ? *number : 0;
  }
  static constexpr std::array<std::pair<std::string_view, std::uint32_t>, 33> kMonths{
      {{"jan", 1},        {"ene", 1},  {"gen", 1},  {"feb", 2},        {"f\xc3\xa9v", 2}, {"fev", 2}, {"mar", 3},
       {"m\xc3\xa4r", 3}, {"mrt", 3},  {"apr", 4},  {"avr", 4},        {"abr", 4},        {"may", 5}, {"mai", 5},
       {"mei", 5},        {"mag", 5},  {"jun", 6},  {"juin", 6},       {"giu", 6},        {"jul", 7}, {"juil", 7},
       {"lug", 7},        {"aug", 8},  {"ago", 8},  {"ao\xc3\xbb", 8}, {"sep", 9},        {"set", 9}, {"oct", 10},
       {"okt", 10},       {"ott", 10}, {"nov", 11}, {"dec", 12},       {"dez", 12}}};
  std::array<char, 5> lower{};
  const std::size_t length = word.size() < lower.size() ? word.size() : lower.size();
  for (std::size_t i = 0; i < length; ++i) {
    lower[i] = word[i] >= 'A' && word[i] <= 'Z' ? static_cast<char>(word[i] + 32) : word[i];
  }
  const std::string_view name(lower.data(), length);
  std::uint32_t month = 0;
  for (const auto& [begin, number] : kMonths) {
    if (name.starts_with(begin)) month = number;
  }
  if (name.starts_with("dic") || name.starts_with("d\xc3\xa9")) month = 12;
  return month;
}

// Finds month, day and year among the words of a date, whatever their order.
struct DateWords {
  std::uint32_t month = 0, day = 0;
  std::int64_t year = 0;

  // False if the word can be no part of a date.
  bool add(std::string_view word) {
    while (!word.empty() && (word.back() == '.' || word.back() == ',')) word.remove_suffix(1);
    if (word.empty()) return false;
    if (is_digit(word.front())) {
      if (const auto named = month_of(word)) {
        month = named;
        return true;
      }
      std::string_view rest = word;
      const auto number = take_number<std::uint32_t>(rest);
      if (!number || (!rest.empty() && !rest.starts_with("\xe6\x97\xa5"))) return false;
      if (*number >= 1970 && *number < 10000) {
        year = *number;
      } else if (*number >= 1 && *number <= 31) {
        day = *number;
      } else {
        return false;
      }
      return true;
    }
    for (const char c : word) {
      if (!is_alpha(c) && static_cast<unsigned char>(c) < 0x80) return false;
    }
    if (const auto named = month_of(word)) month = named;
    return true;
  }
};

void set_wall(Stamp& stamp, std::int64_t year, std::uint32_t month, std::uint32_t day, const Clock& clock,
              bool zoneless) {
  stamp.zoneless = zoneless;
  stamp.yearless = false;
  stamp.wall_ns = civil_to_ns(year, month, day, clock.hour, clock.minute, clock.second, clock.nanosecond);
}

}  // namespace

std::optional<std::int64_t> civil_to_ns(std::int64_t year, std::uint32_t month, std::uint32_t day, std::uint32_t hour,
                                        std::uint32_t minute, std::uint32_t second, std::uint32_t nanosecond) {
  if (year < 1970 || year > 2200 || month < 1 || month > 12 || day < 1 || day > 31) return std::nullopt;
  // Days since 1970-03-01, counting years from March so that leap days come last.
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era_year = y % 400;
  const std::int64_t shifted = (month + 9) % 12;
  const std::int64_t day_of_year = (153 * shifted + 2) / 5 + day - 1;
  const std::int64_t day_of_era = era_year * 365 + era_year / 4 - era_year / 100 + day_of_year;
  const std::int64_t days = y / 400 * 146097 + day_of_era - 719468;
  return (days * 86400 + hour * 3600 + minute * 60 + second) * kNsPerSecond + nanosecond;
}

bool take_printk_stamp(std::string_view& s, Stamp& stamp) {
  std::string_view t = s;
  if (!take(t, '[')) return false;
  t = trim_front(t);
  const bool relative = take(t, '+');
  const auto seconds = take_number<std::uint64_t>(t);
  if (!seconds || *seconds >= kMostPrintkUs / 1'000'000 || !take(t, '.') || t.empty() || !is_digit(t.front()))
    return false;
  const std::uint32_t nanoseconds = take_fraction(t);
  t = trim_front(t);
  if (take(t, '<')) {
    const auto close = t.find('>');
    if (close == t.npos || close > 24) return false;
    t.remove_prefix(close + 1);
    t = trim_front(t);
  }
  if (!take(t, ']')) return false;
  if (!relative) stamp.printk_us = *seconds * 1'000'000 + nanoseconds / 1000;
  s = t;
  take(s, ' ');
  return true;
}

bool take_caller(std::string_view& s, std::string_view& caller) {
  std::string_view t = trim_front(s);
  if (!take(t, '[')) return false;
  t = trim_front(t);
  if (t.empty() || (t.front() != 'T' && t.front() != 'C')) return false;
  std::size_t n = 1;
  while (n < t.size() && is_digit(t[n])) ++n;
  const std::string_view found = t.substr(0, n);
  t.remove_prefix(n);
  t = trim_front(t);
  if (n == 1 || !take(t, ']')) return false;
  caller = found;
  s = t;
  take(s, ' ');
  return true;
}

bool take_bracket_clock(std::string_view& s, Stamp& stamp) {
  std::string_view t = s;
  if (!take(t, '[')) return false;
  const auto close = t.find(']');
  if (close == t.npos || close > 64 || close < 8) return false;
  std::string_view inside = t.substr(0, close);
  DateWords date;
  Clock clock;
  bool clocked = false;
  while (!(inside = trim_front(inside)).empty()) {
    if (take_clock(inside, clock)) {
      clocked = true;
    } else if (!date.add(take_word(inside))) {
      // dmesg -e writes "Mar24 14:32".
      std::string_view u = trim_front(t);
      for (int i = 0; i < 3; ++i) {
        if (u.empty() || !is_alpha(u.front())) return false;
        u.remove_prefix(1);
      }
      if (!take_number<std::uint32_t>(u) || !take(u, ' ') || !take_digits(u, 2) || !take(u, ':')) return false;
      clocked = true;
      break;
    }
  }
  if (!clocked) return false;
  if (date.year != 0) set_wall(stamp, date.year, date.month, date.day, clock, true);
  s = t.substr(close + 1);
  take(s, ' ');
  return true;
}

bool take_iso_stamp(std::string_view& s, Stamp& stamp) {
  std::string_view t = s;
  const auto year = take_digits(t, 4);
  if (!year || t.empty() || (t.front() != '-' && t.front() != '/')) return false;
  const char dash = t.front();
  t.remove_prefix(1);
  const auto month = take_digits(t, 2);
  if (!month || !take(t, dash)) return false;
  const auto day = take_digits(t, 2);
  if (!day || (!take(t, 'T') && !take(t, ' '))) return false;
  Clock clock;
  if (!take_clock(t, clock)) return false;
  std::int64_t offset_minutes = 0;
  bool zoneless = !take(t, 'Z');
  if (zoneless && t.size() >= 5 && (t[0] == '+' || t[0] == '-')) {
    const std::int64_t sign = t[0] == '-' ? -1 : 1;
    std::string_view zone = t.substr(1);
    const auto hours = take_digits(zone, 2);
    take(zone, ':');
    const auto minutes = take_digits(zone, 2);
    if (hours && minutes) {
      offset_minutes = sign * (static_cast<std::int64_t>(*hours) * 60 + *minutes);
      t = zone;
      zoneless = false;
    }
  }
  if (!t.empty() && !is_blank(t.front()) && t.front() != ':' && t.front() != ']') return false;
  set_wall(stamp, *year, *month, *day, clock, zoneless);
  if (stamp.wall_ns) *stamp.wall_ns -= offset_minutes * 60 * kNsPerSecond;
  s = t;
  return true;
}

bool take_syslog_stamp(std::string_view& s, Stamp& stamp, std::optional<int> year) {
  std::string_view t = s;
  DateWords date;
  Clock clock;
  for (int words = 0;; ++words) {
    t = trim_front(t);
    if (words > 0 && take_clock(t, clock)) break;
    if (words == 4 || t.empty() || !date.add(take_word(t))) return false;
  }
  if (date.day == 0 || (!t.empty() && !is_blank(t.front()))) return false;
  std::string_view u = trim_front(t);
  if (const auto late_year = take_digits(u, 4); late_year && date.year == 0 && *late_year >= 1970 &&
                                                *late_year < 2200 &&
                                                (u.empty() || is_blank(u.front()) || u.front() == ':')) {
    date.year = *late_year;
    t = u;
  }
  const bool yearless = date.year == 0;
  if (yearless && year) date.year = *year;
  if (date.year != 0) set_wall(stamp, date.year, date.month, date.day, clock, true);
  stamp.yearless = yearless && stamp.wall_ns;
  s = t;
  return true;
}

bool take_bare_clock(std::string_view& s) {
  std::string_view t = s;
  Clock ignored;
  if (!take_clock(t, ignored) || t.empty() || !is_blank(t.front())) return false;
  s = t;
  return true;
}

bool take_journal_stamp(std::string_view& s, Stamp& stamp) {
  std::string_view t = s;
  if (const auto seconds = take_digits(t, 10); seconds && t.size() > 7 && t[0] == '.') {
    t.remove_prefix(1);
    const std::uint32_t nanoseconds = take_fraction(t);
    if (t.empty() || !is_blank(t.front())) return false;
    stamp.wall_ns = static_cast<std::int64_t>(*seconds) * kNsPerSecond + nanoseconds;
    stamp.zoneless = stamp.yearless = false;
    s = t;
    return true;
  }
  t = s;
  const std::string_view weekday = take_word(t);
  if (weekday.size() < 2 || weekday.size() > 12 || is_digit(weekday.front())) return false;
  t = trim_front(t);
  if (!take_iso_stamp(t, stamp)) return false;
  std::string_view u = trim_front(t);
  const std::string_view zone = take_word(u);
  bool letters = zone.size() >= 2 && zone.size() <= 5;
  for (const char c : zone) letters &= c >= 'A' && c <= 'Z';
  s = letters ? u : t;
  if (letters && (zone == "UTC" || zone == "GMT")) stamp.zoneless = false;
  return true;
}

}  // namespace oomtrace::kernel_log
