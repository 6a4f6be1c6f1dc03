// SPDX-License-Identifier: Apache-2.0
// Timeline: bounded, newest exact, extremes and pinned points outlive merging.
#include "model/timeline.h"

#include <gtest/gtest.h>

namespace oomtrace::model {
namespace {

struct Figure {
  int value = 0;
  int high = 0;
  bool same_figures(const Figure& other) const { return value == other.value; }
  void absorb(const Figure& older) { high = std::max(high, older.high); }
};

Timeline<Figure> rising(std::size_t capacity, int points) {
  Timeline<Figure> line(capacity);
  for (int i = 0; i < points; ++i) line.add(static_cast<std::uint64_t>(i) * 10, Figure{i, i});
  return line;
}

TEST(Timeline, keeps_everything_below_its_capacity) {
  const auto line = rising(64, 64);
  ASSERT_EQ(line.points().size(), 64u);
  EXPECT_EQ(line.points()[17].sample.value, 17);
}

TEST(Timeline, stays_bounded_and_keeps_the_first_and_the_newest_exact) {
  const auto line = rising(64, 100'000);
  EXPECT_LE(line.points().size(), 64u);
  EXPECT_EQ(line.points().front().sample.value, 0);
  const auto& points = line.points();
  for (std::size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(points[points.size() - 1 - i].sample.value, 99'999 - static_cast<int>(i));
  }
  for (std::size_t i = 1; i < points.size(); ++i) EXPECT_LT(points[i - 1].from_ns, points[i].from_ns);
}

TEST(Timeline, a_long_series_keeps_points_of_every_age) {
  // 27 hours of ten points a second.
  constexpr int kPoints = 1'000'000;
  const auto line = rising(128, kPoints);
  for (int age = 100; age < kPoints; age *= 4) {
    const auto* point = line.at(static_cast<std::uint64_t>(kPoints - age) * 10);
    ASSERT_NE(point, nullptr);
    // At each age the figure in force is right within a fifth of that age.
    EXPECT_NEAR(point->sample.value, kPoints - age, age / 5.0) << age;
  }
}

TEST(Timeline, a_peak_survives_the_merge_as_the_high_mark_of_what_follows) {
  Timeline<Figure> line(16);
  for (int i = 0; i < 1000; ++i) line.add(static_cast<std::uint64_t>(i), Figure{i == 3 ? 5000 : i, i == 3 ? 5000 : i});
  int high = 0;
  for (const auto& point : line.points()) high = std::max(high, point.sample.high);
  EXPECT_EQ(high, 5000);
}

TEST(Timeline, a_pinned_point_outlives_merging) {
  Timeline<Figure> line(16);
  for (int i = 0; i < 1000; ++i) {
    line.add(static_cast<std::uint64_t>(i), Figure{i, i});
    if (i == 7) line.pin_last();
  }
  const auto* point = line.at(7);
  ASSERT_NE(point, nullptr);
  EXPECT_EQ(point->sample.value, 7);
}

TEST(Timeline, is_bounded_even_where_every_point_is_pinned) {
  Timeline<Figure> line(16);
  for (int i = 0; i < 1000; ++i) {
    line.add(static_cast<std::uint64_t>(i), Figure{i, i});
    line.pin_last();
  }
  EXPECT_LE(line.points().size(), 16u);
}

TEST(Timeline, the_same_figures_again_only_move_the_end) {
  Timeline<Figure> line(16);
  line.add(10, Figure{1, 1});
  line.add(500, Figure{1, 1});
  line.add(510, Figure{2, 2});
  ASSERT_EQ(line.points().size(), 2u);
  EXPECT_EQ(line.points()[0].until_ns, 500u);
  EXPECT_EQ(line.at(505)->sample.value, 1);
  EXPECT_EQ(line.at(9), nullptr);
}

TEST(Timeline, a_time_that_runs_backwards_does_not_break_the_order) {
  Timeline<Figure> line(16);
  line.add(100, Figure{1, 1});
  line.add(50, Figure{2, 2});
  EXPECT_EQ(line.points()[1].from_ns, 100u);
}

}  // namespace
}  // namespace oomtrace::model
