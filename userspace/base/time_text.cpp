// SPDX-License-Identifier: Apache-2.0
// RFC 3339 both ways by proleptic Gregorian arithmetic on days.
#include "base/time_text.h"

#include <cstring>

namespace oomtrace {

namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::int64_t kSecondsPerDay = 86'400;

struct Date {
  std::int64_t year;
  unsigned month, day;  // from 1
};

constexpr bool is_leap(std::int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

constexpr unsigned days_in_month(std::int64_t year, unsigned month) {
  constexpr unsigned kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return kDays[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

// Days before the first of January of `year`, counted from the year 0; year is not negative.
constexpr std::int64_t days_before_year(std::int64_t year) {
  if (year == 0) return 0;
  const std::int64_t past = year - 1;
  return year * 365 + past / 4 - past / 100 + past / 400 + 1;  // + 1: the year 0 is a leap year
}

constexpr std::int64_t kEpochDays = days_before_year(1970);

constexpr std::int64_t days_of(const Date& date) {
  constexpr unsigned kBefore[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
  const unsigned leap = date.month > 2 && is_leap(date.year) ? 1 : 0;
  return days_before_year(date.year) + kBefore[date.month - 1] + leap + date.day - 1 - kEpochDays;
}

constexpr Date date_of(std::int64_t days) {
  days += kEpochDays;
  std::int64_t year = days * 400 / 146'097;  // 146,097 days in 400 years: off by one at most
  while (days_before_year(year + 1) <= days) ++year;
  while (days_before_year(year) > days) --year;
  auto rest = static_cast<unsigned>(days - days_before_year(year));
  unsigned month = 1;
  while (rest >= days_in_month(year, month)) rest -= days_in_month(year, month++);
  return {year, month, rest + 1};
}

static_assert(days_of({1970, 1, 1}) == 0 && days_of({2000, 3, 1}) == 11'017 && days_of({1677, 9, 21}) == -106'752);
static_assert(date_of(11'016).month == 2 && date_of(11'016).day == 29);

void put_digits(char* out, std::uint64_t value, std::size_t digits) {
  for (std::size_t i = digits; i-- > 0; value /= 10) out[i] = static_cast<char>('0' + value % 10);
}

// Takes exactly `digits` digits off the front of text.
bool take_digits(std::string_view& text, std::size_t digits, unsigned& out) {
  if (text.size() < digits) return false;
  out = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    out = out * 10 + static_cast<unsigned>(text[i] - '0');
  }
  text.remove_prefix(digits);
  return true;
}

bool take_one_of(std::string_view& text, std::string_view allowed) {
  if (text.empty()) return false;
  for (const char c : allowed) {
    if (text[0] != c) continue;
    text.remove_prefix(1);
    return true;
  }
  return false;
}

bool take_fraction(std::string_view& text, unsigned& nanoseconds) {
  nanoseconds = 0;
  if (!take_one_of(text, ".")) return true;
  std::size_t digits = 0;
  for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), ++digits) {
    if (digits < 9) nanoseconds = nanoseconds * 10 + static_cast<unsigned>(text[0] - '0');
  }
  for (std::size_t i = digits; i < 9; ++i) nanoseconds *= 10;
  return digits > 0;
}

bool take_offset(std::string_view& text, std::int64_t& seconds) {
  seconds = 0;
  if (take_one_of(text, "Zz")) return true;
  if (text.empty()) return false;
  const bool west = text[0] == '-';
  unsigned hours = 0;
  unsigned minutes = 0;
  if (!take_one_of(text, "+-") || !take_digits(text, 2, hours) || !take_one_of(text, ":") ||
      !take_digits(text, 2, minutes) || hours > 23 || minutes > 59) {
    return false;
  }
  seconds = std::int64_t{hours} * 3600 + std::int64_t{minutes} * 60;
  if (west) seconds = -seconds;
  return true;
}

}  // namespace

void write_rfc3339_ns(std::int64_t wall_ns, std::span<char, kRfc3339NsLength> out) {
  // Floor division: times before 1970 have a fraction that counts forward too.
  std::int64_t seconds = wall_ns / kNsPerSecond;
  std::int64_t fraction = wall_ns % kNsPerSecond;
  if (fraction < 0) fraction += kNsPerSecond, --seconds;
  std::int64_t days = seconds / kSecondsPerDay;
  std::int64_t of_day = seconds % kSecondsPerDay;
  if (of_day < 0) of_day += kSecondsPerDay, --days;
  const Date date = date_of(days);
  std::memcpy(out.data(), "0000-00-00T00:00:00.000000000Z", kRfc3339NsLength);
  put_digits(out.data(), static_cast<std::uint64_t>(date.year), 4);
  put_digits(out.data() + 5, date.month, 2);
  put_digits(out.data() + 8, date.day, 2);
  put_digits(out.data() + 11, static_cast<std::uint64_t>(of_day / 3600), 2);
  put_digits(out.data() + 14, static_cast<std::uint64_t>(of_day / 60 % 60), 2);
  put_digits(out.data() + 17, static_cast<std::uint64_t>(of_day % 60), 2);
  put_digits(out.data() + 20, static_cast<std::uint64_t>(fraction), 9);
}

std::string format_rfc3339_ns(std::int64_t wall_ns) {
  std::string text(kRfc3339NsLength, '\0');
  write_rfc3339_ns(wall_ns, std::span<char, kRfc3339NsLength>(text));
  return text;
}

std::optional<std::int64_t> parse_rfc3339(std::string_view text) {
  unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, nanoseconds = 0;
  std::int64_t offset = 0;
  const bool shaped = take_digits(text, 4, year) && take_one_of(text, "-") && take_digits(text, 2, month) &&
                      take_one_of(text, "-") && take_digits(text, 2, day) && take_one_of(text, "Tt ") &&
                      take_digits(text, 2, hour) && take_one_of(text, ":") && take_digits(text, 2, minute) &&
                      take_one_of(text, ":") && take_digits(text, 2, second) && take_fraction(text, nanoseconds) &&
                      take_offset(text, offset) && text.empty();
  if (!shaped || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 || minute > 59 ||
      second > 60) {
    return std::nullopt;
  }
  const std::int64_t days = days_of({year, month, day});
  std::int64_t seconds = days * kSecondsPerDay + hour * 3600 + minute * 60 + second - offset;
  auto fraction = static_cast<std::int64_t>(nanoseconds);
  // For times before 1970 count back from the next whole second: the product alone could leave the range.
  if (seconds < 0 && fraction > 0) fraction -= kNsPerSecond, ++seconds;
  std::int64_t wall_ns = 0;
  if (__builtin_mul_overflow(seconds, kNsPerSecond, &wall_ns) || __builtin_add_overflow(wall_ns, fraction, &wall_ns)) {
    return std::nullopt;
  }
  return wall_ns;
}

std::optional<std::int64_t> Rfc3339Reader::read(std::string_view text) {
  const bool own_form = text.size() == kRfc3339NsLength && text[second_.size() - 1] == '.' && text.back() == 'Z';
  std::int64_t nanoseconds = 0;
  bool digits = own_form;
  for (std::size_t i = second_.size(); digits && i + 1 < kRfc3339NsLength; ++i) {
    const auto digit = static_cast<unsigned>(text[i]) - '0';
    digits = digit <= 9;
    nanoseconds = nanoseconds * 10 + digit;
  }
  if (digits && std::memcmp(text.data(), second_.data(), second_.size()) == 0) return second_ns_ + nanoseconds;
  const auto wall_ns = parse_rfc3339(text);
  // Before 1970, and in the last second that int64 has, there is more to it.
  if (digits && wall_ns && *wall_ns >= kNsPerSecond && *wall_ns < INT64_MAX - kNsPerSecond) {
    std::memcpy(second_.data(), text.data(), second_.size());
    second_ns_ = *wall_ns - nanoseconds;
  }
  return wall_ns;
}

std::string compact_utc(std::int64_t wall_ns) {
  constexpr std::size_t kToSeconds = 19;  // "2026-11-24T08:30:00"
  std::string stamp;
  for (const char c : format_rfc3339_ns(wall_ns).substr(0, kToSeconds)) {
    if (c != '-' && c != ':') stamp.push_back(c);
  }
  return stamp + "Z";
}

}  // namespace oomtrace
