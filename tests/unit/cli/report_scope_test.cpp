// SPDX-License-Identifier: Apache-2.0
// What --since, --until and --incident leave of a report.
#include "cli/report_scope.h"

#include <gtest/gtest.h>

namespace oomtrace::cli {
namespace {

Report three_incidents() {
  Report report;
  report.source.name = "x.log";
  for (const char* time : {"2026-03-24T10:00:00Z", "2026-03-24T11:00:00Z", ""}) {
    Incident incident;
    incident.id = report.incidents.size() + 1;
    if (*time != '\0') incident.time = time;
    report.incidents.push_back(incident);
    Death death;
    death.pid = static_cast<std::uint32_t>(incident.id);
    death.time = incident.time;
    report.deaths.push_back(death);
  }
  return report;
}

TimeBounds since(const char* time) {
  TimeBounds bounds;
  bounds.since_ns = *parse_time_point(time, 0);
  return bounds;
}

TEST(Scope, by_time_leaves_what_lies_inside_and_says_what_has_no_date) {
  Report report = three_incidents();
  ASSERT_TRUE(keep_between(since("2026-03-24T10:30:00Z"), report).has_value());
  ASSERT_EQ(report.incidents.size(), 1U);
  EXPECT_EQ(report.incidents[0].id, 2U);
  ASSERT_EQ(report.deaths.size(), 1U);
  EXPECT_EQ(report.deaths[0].pid, 2U);
  ASSERT_EQ(report.source.notes.size(), 1U);
  EXPECT_EQ(report.source.notes[0], "left out: 1 incident without a date");
  EXPECT_EQ(report.source.since, "2026-03-24T10:30:00.000000000Z");
  EXPECT_FALSE(report.source.until.has_value());
  EXPECT_EQ(report.source.incidents_outside, 1U);
  EXPECT_EQ(report.source.outside_from, "2026-03-24T10:00:00.000000000Z");
  EXPECT_EQ(report.source.outside_to, report.source.outside_from);
}

TEST(Scope, by_time_tells_how_many_it_left_out_and_of_which_time) {
  Report report = three_incidents();
  ASSERT_TRUE(keep_between(since("2026-03-24T12:00:00Z"), report).has_value());
  EXPECT_TRUE(report.incidents.empty());
  EXPECT_EQ(report.source.incidents_outside, 2U);
  EXPECT_EQ(report.source.outside_from, "2026-03-24T10:00:00.000000000Z");
  EXPECT_EQ(report.source.outside_to, "2026-03-24T11:00:00.000000000Z");
  EXPECT_NE(keep_incident(1, report).error().context.find("--since"), std::string::npos);
}

TEST(Scope, by_time_cannot_be_had_of_a_log_without_dates) {
  Report report = three_incidents();
  for (Incident& incident : report.incidents) incident.time.reset();
  const auto kept = keep_between(since("2026-03-24T10:30:00Z"), report);
  ASSERT_FALSE(kept.has_value());
  EXPECT_EQ(kept.error().code, Errc::kUsage);
  EXPECT_NE(kept.error().hint.find("dmesg -T"), std::string::npos);
}

TEST(Scope, without_bounds_leaves_all) {
  Report report = three_incidents();
  ASSERT_TRUE(keep_between({}, report).has_value());
  EXPECT_EQ(report.incidents.size(), 3U);
  EXPECT_TRUE(report.source.notes.empty());
  EXPECT_FALSE(report.source.since || report.source.until);
  EXPECT_EQ(report.source.incidents_outside, 0U);
}

TEST(Scope, by_number_leaves_one_or_says_that_there_is_none) {
  Report report = three_incidents();
  ASSERT_TRUE(keep_incident(3, report).has_value());
  ASSERT_EQ(report.incidents.size(), 1U);
  EXPECT_EQ(report.incidents[0].id, 3U);
  EXPECT_EQ(keep_incident(1, report).error().code, Errc::kUsage);
}

}  // namespace
}  // namespace oomtrace::cli
