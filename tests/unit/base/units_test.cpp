// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them.
#include "base/units.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace oomtrace {
namespace {

constexpr std::int64_t kKi = 1024;
constexpr std::int64_t kMi = kKi * kKi;
constexpr std::int64_t kGi = kKi * kMi;

TEST(FormatBytes, uses_binary_units) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1024), "1 KiB");
  EXPECT_EQ(format_bytes(87 * kKi + 100), "87 KiB");
  EXPECT_EQ(format_bytes(320 * kMi), "320.0 MiB");
  EXPECT_EQ(format_bytes(kGi + kGi / 2), "1.5 GiB");
  EXPECT_EQ(format_bytes(2048 * kGi), "2.0 TiB");
}

TEST(FormatBytes, rounding_carries_into_the_next_unit) {
  EXPECT_EQ(format_bytes(kMi - 1), "1.0 MiB");
  EXPECT_EQ(format_bytes(kMi - 600), "1023 KiB");
  EXPECT_EQ(format_bytes(kGi - 1), "1.0 GiB");
  EXPECT_EQ(format_bytes(kGi - kMi / 10), "1023.9 MiB");
}

TEST(FormatBytes, negative_and_extreme_values) {
  EXPECT_EQ(format_bytes(-4 * kMi), "-4.0 MiB");
  EXPECT_EQ(format_bytes(-1), "-1 B");
  EXPECT_EQ(format_bytes(std::numeric_limits<std::int64_t>::max()), "8.0 EiB");
  EXPECT_EQ(format_bytes(std::numeric_limits<std::int64_t>::min()), "-8.0 EiB");
}

TEST(FormatBytes, figures_beyond_64_bits_are_cut_there) {
  EXPECT_EQ(bytes_text(1.5 * kMi), "1.5 MiB");
  EXPECT_EQ(bytes_text(1e30), "8.0 EiB");
  EXPECT_EQ(bytes_text(-1e30), "-8.0 EiB");
  EXPECT_EQ(bytes_text(std::numeric_limits<double>::infinity()), "8.0 EiB");
  EXPECT_EQ(bytes_text(std::numeric_limits<double>::quiet_NaN()), "0 B");
}

TEST(FormatBytes, signed_form_marks_growth) {
  EXPECT_EQ(format_bytes_signed(320 * kMi), "+320.0 MiB");
  EXPECT_EQ(format_bytes_signed(-kKi), "-1 KiB");
  EXPECT_EQ(format_bytes_signed(0), "0 B");
}

TEST(FormatCount, groups_digits) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(-1234567), "-1,234,567");
  EXPECT_EQ(format_count(std::numeric_limits<std::int64_t>::min()), "-9,223,372,036,854,775,808");
  EXPECT_EQ(format_count(1, "page"), "1 page");
  EXPECT_EQ(format_count(2048, "page"), "2,048 pages");
}

TEST(FormatPercent, keeps_extremes_honest) {
  EXPECT_EQ(format_percent(0), "0%");
  EXPECT_EQ(format_percent(0.0001), "<0.1%");
  EXPECT_EQ(format_percent(0.034), "3.4%");
  EXPECT_EQ(format_percent(0.0996), "10%");
  EXPECT_EQ(format_percent(0.417), "42%");
  EXPECT_EQ(format_percent(0.999), ">99%");
  EXPECT_EQ(format_percent(1), "100%");
  EXPECT_EQ(format_percent(2.5), "250%");
  EXPECT_EQ(format_percent(-0.25), "-25%");
  EXPECT_EQ(format_percent(std::numeric_limits<double>::quiet_NaN()), "?");
}

TEST(FormatDuration, takes_the_unit_that_fits) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  EXPECT_EQ(format_duration(0), "0 ms");
  EXPECT_EQ(format_duration(850'400'000), "850 ms");
  EXPECT_EQ(format_duration(12'340'000'000), "12.3 s");
  EXPECT_EQ(format_duration(59'960'000'000), "1 min 00 s");
  EXPECT_EQ(format_duration(245 * kSecond), "4 min 05 s");
  EXPECT_EQ(format_duration(3599'600'000'000), "1 h 00 min");
  EXPECT_EQ(format_duration(11'220 * kSecond), "3 h 07 min");
  EXPECT_EQ(format_duration(52 * 3600 * kSecond), "2 d 04 h");
  EXPECT_EQ(format_duration(std::numeric_limits<std::uint64_t>::max()), "213504 d 00 h");
}

}  // namespace
}  // namespace oomtrace
