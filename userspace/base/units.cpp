// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them, in integer arithmetic where rounding shows.
#include "base/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace oomtrace {

namespace {

std::uint64_t magnitude(std::int64_t value) {
  return value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
}

std::string magnitude_text(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  constexpr std::uint64_t kKi = 1024;
  if (bytes < kKi) return fmt::format("{} B", bytes);
  if (const std::uint64_t kib = (bytes + kKi / 2) / kKi; kib < kKi) return fmt::format("{} KiB", kib);
  for (unsigned unit = 2;; ++unit) {
    const std::uint64_t size = std::uint64_t{1} << (10 * unit);
    const std::uint64_t whole = bytes / size;
    // Tenths of the rest: rest < 2^60, so times ten fits.
    const std::uint64_t tenths = whole * 10 + ((bytes % size) * 10 + size / 2) / size;
    if (tenths < kKi * 10 || unit == 6) return fmt::format("{}.{} {}", tenths / 10, tenths % 10, kUnits[unit]);
  }
}

}  // namespace

std::string format_bytes(std::int64_t bytes) {
  return bytes < 0 ? "-" + magnitude_text(magnitude(bytes)) : magnitude_text(magnitude(bytes));
}

std::string bytes_text(double bytes) {
  constexpr double kMost = 9.2e18;
  return format_bytes(bytes >= -kMost ? static_cast<std::int64_t>(std::min(bytes, kMost)) : bytes < 0 ? INT64_MIN : 0);
}

std::string format_bytes_signed(std::int64_t bytes) {
  return bytes > 0 ? "+" + format_bytes(bytes) : format_bytes(bytes);
}

std::string format_count(std::int64_t count) {
  std::string text = std::to_string(magnitude(count));
  for (std::size_t left = text.size(); left > 3;) {
    left -= 3;
    text.insert(left, 1, ',');
  }
  return count < 0 ? "-" + text : text;
}

std::string format_count(std::int64_t count, const char* singular) {
  return fmt::format("{} {}{}", format_count(count), singular, count == 1 ? "" : "s");
}

std::string format_percent(double share) {
  if (std::isnan(share)) return "?";
  if (share < 0) return "-" + format_percent(-share);
  const double percent = share * 100;
  if (percent == 0) return "0%";
  if (percent < 0.05) return "<0.1%";
  if (percent < 9.95) return fmt::format("{:.1f}%", percent);
  if (percent < 100 && percent >= 99.5) return ">99%";
  return fmt::format("{:.0f}%", percent);
}

std::string format_duration(std::uint64_t nanoseconds) {
  constexpr std::uint64_t kMs = 1'000'000;
  const std::uint64_t ms = nanoseconds / kMs + (nanoseconds % kMs >= kMs / 2 ? 1 : 0);
  if (ms < 1000) return fmt::format("{} ms", ms);
  if (const std::uint64_t tenths = (ms + 50) / 100; tenths < 600)
    return fmt::format("{}.{} s", tenths / 10, tenths % 10);
  const std::uint64_t seconds = (ms + 500) / 1000;
  if (seconds < 3600) return fmt::format("{} min {:02} s", seconds / 60, seconds % 60);
  const std::uint64_t minutes = (seconds + 30) / 60;
  if (minutes < 24 * 60) return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
  const std::uint64_t hours = (minutes + 30) / 60;
  return fmt::format("{} d {:02} h", hours / 24, hours % 24);
}

}  // namespace oomtrace
