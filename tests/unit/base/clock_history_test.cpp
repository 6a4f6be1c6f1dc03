// SPDX-License-Identifier: Apache-2.0
// What the clock was set to, and when.
#include "base/clock_history.h"

#include <gtest/gtest.h>

#include <limits>

namespace oomtrace {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(ClockHistory, before_the_first_setting_the_first_holds) {
  ClockHistory clock;
  EXPECT_EQ(clock.offset_at(5), 0);
  EXPECT_TRUE(clock.note(100, 7 * kSecond));
  EXPECT_EQ(clock.offset_at(5), 7 * kSecond);
  EXPECT_EQ(clock.offset_at(100), 7 * kSecond);
}

TEST(ClockHistory, each_setting_holds_until_the_next) {
  ClockHistory clock;
  clock.note(100, 7 * kSecond);
  EXPECT_TRUE(clock.note(200, -3 * kSecond));
  EXPECT_EQ(clock.offset_at(199), 7 * kSecond);
  EXPECT_EQ(clock.offset_at(200), -3 * kSecond);
  EXPECT_EQ(clock.last_offset(), -3 * kSecond);
}

TEST(ClockHistory, the_same_offset_read_again_is_no_setting) {
  ClockHistory clock;
  clock.note(100, 7 * kSecond);
  EXPECT_FALSE(clock.note(200, 7 * kSecond + 400'000));
  EXPECT_EQ(clock.settings().size(), 1U);
  // Small steps add up to one.
  EXPECT_FALSE(clock.note(300, 7 * kSecond + 800'000));
  EXPECT_TRUE(clock.note(400, 7 * kSecond + 1'200'000));
}

// Two recorders see the same setting, one a little later, and are read one behind the other.
TEST(ClockHistory, what_two_saw_is_one_setting_from_the_earlier_time_on) {
  ClockHistory clock;
  clock.note(100, 0);
  clock.note(230, kSecond);
  EXPECT_FALSE(clock.note(110, 10));
  EXPECT_TRUE(clock.note(200, kSecond + 20));
  EXPECT_EQ(clock.settings().size(), 2U);
  EXPECT_EQ(clock.settings()[1].from_boot_ns, 200U);
}

TEST(ClockHistory, the_lowest_of_a_time_and_after_it) {
  ClockHistory clock;
  clock.note(100, 0);
  clock.note(200, -6 * kSecond);
  clock.note(300, 9 * kSecond);
  EXPECT_EQ(clock.lowest_since(50), -6 * kSecond);
  EXPECT_EQ(clock.lowest_since(299), -6 * kSecond);
  EXPECT_EQ(clock.lowest_since(300), 9 * kSecond);
}

TEST(ClockHistory, is_bounded_and_keeps_the_latest) {
  ClockHistory clock;
  for (std::int64_t i = 0; i < 1000; ++i) clock.note(static_cast<std::uint64_t>(i), i * kSecond);
  EXPECT_EQ(clock.settings().size(), ClockHistory::kMostSettings);
  EXPECT_EQ(clock.last_offset(), 999 * kSecond);
}

TEST(ClockHistory, hostile_figures_do_not_overflow) {
  ClockHistory clock;
  clock.note(0, std::numeric_limits<std::int64_t>::min());
  EXPECT_TRUE(clock.note(UINT64_MAX, std::numeric_limits<std::int64_t>::max()));
  EXPECT_EQ(clock.settings().size(), 2U);
  static_cast<void>(wall_time(UINT64_MAX, clock.offset_at(UINT64_MAX)));
}

}  // namespace
}  // namespace oomtrace
