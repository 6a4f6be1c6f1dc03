// SPDX-License-Identifier: Apache-2.0
// Points in time and boots as journalctl takes them.
#include "cli/time_bounds.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace oomtrace::cli {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kNow = 1'774'362'731 * kSecond;  // 2026-03-24T14:32:11Z, a Tuesday

// All in a zone that is two hours ahead of UTC, so that local time and UTC cannot be mixed up.
class Points : public testing::Test {
 protected:
  void SetUp() override {
    setenv("TZ", "XST-2", 1);
    tzset();
  }
  void TearDown() override {
    unsetenv("TZ");
    tzset();
  }
  static std::int64_t seconds(const char* text) {
    const auto point = parse_time_point(text, kNow);
    EXPECT_TRUE(point.has_value()) << text;
    return point ? *point / kSecond : -1;
  }
};

TEST_F(Points, are_read_as_local_time_unless_they_say_otherwise) {
  constexpr std::int64_t kNoonUtc = 1'774'353'600;  // 2026-03-24T12:00:00Z
  EXPECT_EQ(seconds("2026-03-24 14:00:00"), kNoonUtc);
  EXPECT_EQ(seconds("2026-03-24 14:00"), kNoonUtc);
  EXPECT_EQ(seconds("Tue 2026-03-24 14:00"), kNoonUtc);
  EXPECT_EQ(seconds("2026-03-24T14:00:00"), kNoonUtc);
  EXPECT_EQ(seconds("2026-03-24 12:00:00 UTC"), kNoonUtc);
  EXPECT_EQ(seconds("2026-03-24T12:00:00Z"), kNoonUtc);
  EXPECT_EQ(seconds("2026-03-24T17:00:00+05:00"), kNoonUtc);
  EXPECT_EQ(seconds("14:00"), kNoonUtc);
  EXPECT_EQ(seconds("2026-03-24"), kNoonUtc - 14 * 3600);
  EXPECT_EQ(*parse_time_point("2026-03-24 14:00:00.25", kNow), kNoonUtc * kSecond + kSecond / 4);
}

TEST_F(Points, are_read_by_name_and_by_distance) {
  constexpr std::int64_t kMidnight = 1'774'303'200;  // 2026-03-23T22:00:00Z, midnight there
  EXPECT_EQ(seconds("now"), 1'774'362'731);
  EXPECT_EQ(seconds("today"), kMidnight);
  EXPECT_EQ(seconds("yesterday"), kMidnight - 86'400);
  EXPECT_EQ(seconds("tomorrow"), kMidnight + 86'400);
  EXPECT_EQ(seconds("-2h"), 1'774'362'731 - 7200);
  EXPECT_EQ(seconds("-2h 30min"), 1'774'362'731 - 9000);
  EXPECT_EQ(seconds("- 90 s"), 1'774'362'731 - 90);
  EXPECT_EQ(seconds("+1d"), 1'774'362'731 + 86'400);
  EXPECT_EQ(seconds("1.5 hours ago"), 1'774'362'731 - 5400);
  EXPECT_EQ(seconds("@1774362731"), 1'774'362'731);
  EXPECT_EQ(*parse_time_point("@1774362731.5", kNow), kNow + kSecond / 2);
}

TEST_F(Points, that_are_none_are_usage_errors) {
  for (const char* text : {"", "bogus", "2026-13-01", "2026-03-24 25:99", "-2", "-h", "2h", "@", "@x", "12:00 UTC",
                           "-99999999999999999999y", "@1e99", "@nan", "-nan", "nan ago", "@inf", "+inf", "+250y",
                           "2026-03-24 14:00:00 Mars"}) {
    const auto point = parse_time_point(text, kNow);
    // A bare number of seconds is a distance, as with journalctl.
    if (std::string_view(text) == "-2") continue;
    ASSERT_FALSE(point.has_value()) << text;
    EXPECT_EQ(point.error().code, Errc::kUsage);
    EXPECT_FALSE(point.error().hint.empty());
  }
}

TEST_F(Points, bound_a_span_on_both_sides) {
  const auto bounds = TimeBounds::parse("-2h", "-1h", kNow);
  ASSERT_TRUE(bounds.has_value());
  EXPECT_FALSE(bounds->hold(kNow));
  EXPECT_TRUE(bounds->hold(kNow - 5400 * kSecond));
  EXPECT_FALSE(bounds->hold(kNow - 7201 * kSecond));
  EXPECT_FALSE(TimeBounds::parse("", "", kNow)->any());
  EXPECT_TRUE(TimeBounds::parse("", "", kNow)->hold(0));
  EXPECT_EQ(TimeBounds::parse("-1h", "-2h", kNow).error().code, Errc::kUsage);
}

TEST_F(Points, that_a_report_shows_hold_what_they_were_read_off) {
  const std::string shown = "2026-03-24 12:00:00 UTC";  // of a kill within that second
  const auto bounds = TimeBounds::parse(shown, shown, kNow);
  ASSERT_TRUE(bounds.has_value());
  constexpr std::int64_t kNoonUtc = 1'774'353'600 * kSecond;
  EXPECT_TRUE(bounds->hold(kNoonUtc));
  EXPECT_TRUE(bounds->hold(kNoonUtc + 999'999'999));
  EXPECT_FALSE(bounds->hold(kNoonUtc - 1));
  EXPECT_FALSE(bounds->hold(kNoonUtc + kSecond));
  EXPECT_FALSE(TimeBounds::parse("", "2026-03-24T12:00:00.25Z", kNow)->hold(kNoonUtc + kSecond / 2));
  EXPECT_EQ(TimeBounds::parse("", "2262-04-11T23:47:16Z", kNow)->until_ns, 9'223'372'036 * kSecond);
}

TEST(Boots, are_chosen_by_number_and_by_id) {
  EXPECT_EQ(BootChoice::parse("0")->offset, 0);
  EXPECT_EQ(BootChoice::parse("-1")->offset, -1);
  EXPECT_EQ(BootChoice::parse("+2")->offset, 2);
  EXPECT_TRUE(BootChoice::parse("all")->all);
  const auto id = BootChoice::parse("0F9FD93A-4B7E-4F9E-8C6D-0123456789ab");
  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(id->id, "0f9fd93a4b7e4f9e8c6d0123456789ab");
  EXPECT_FALSE(id->offset.has_value());
  const auto before = BootChoice::parse("0f9fd93a4b7e4f9e8c6d0123456789ab-1");
  ASSERT_TRUE(before.has_value());
  EXPECT_EQ(before->text(), "0f9fd93a4b7e4f9e8c6d0123456789ab-1");
  for (const char* text : {"", "x", "-", "1x", "--all", "0f9fd93a4b7e4f9e8c6d0123456789abx"})
    EXPECT_FALSE(BootChoice::parse(text).has_value()) << text;
}

}  // namespace
}  // namespace oomtrace::cli
