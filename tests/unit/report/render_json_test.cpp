// SPDX-License-Identifier: Apache-2.0
// What the JSON form promises beyond its golden files.
#include "report/render_json.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "unit/report/sample_reports.h"

namespace oomtrace::test {
namespace {

nlohmann::ordered_json parsed(const Report& report) { return nlohmann::ordered_json::parse(render_json(report)); }

TEST(RenderJson, schema_is_the_first_key_and_a_newline_ends_the_text) {
  const std::string text = render_json(empty_report());
  EXPECT_EQ(text.rfind("{\n  \"schema\": \"oomtrace.report/1\",\n  \"source\"", 0), 0U) << text;
  EXPECT_EQ(text.substr(text.size() - 2), "}\n");
}

TEST(RenderJson, what_is_not_known_is_null_and_never_zero) {
  const auto incident = parsed(bare_report())["incidents"][0];
  EXPECT_TRUE(incident["growth"].is_null());
  EXPECT_TRUE(incident["time"].is_null());
  EXPECT_TRUE(incident["domain"]["limit_bytes"].is_null());
  EXPECT_TRUE(incident["victims"][0]["anon_rss_bytes"].is_null());
  EXPECT_TRUE(incident["selection"]["points_reproduced"].is_null());
  EXPECT_TRUE(incident["system"]["balloon"]["bytes"].is_null());
}

TEST(RenderJson, invalid_bytes_become_replacement_characters) {
  Report report = bare_report();
  report.incidents[0].victims[0].comm = "a\xff\xc3(";
  EXPECT_EQ(parsed(report)["incidents"][0]["victims"][0]["comm"], "a\uFFFD\uFFFD(");
}

TEST(RenderJson, steering_characters_survive_as_escapes_only) {
  Report report = bare_report();
  const std::string steering = "\u009b31m\u202etxt\u007f\U000e0041";
  report.incidents[0].victims[0].comm = steering;
  const std::string text = render_json(report);
  EXPECT_NE(text.find("\\u009b31m\\u202etxt\\u007f\\udb40\\udc41"), std::string::npos) << text;
  EXPECT_EQ(parsed(report)["incidents"][0]["victims"][0]["comm"], steering);
}

TEST(RenderJson, the_largest_numbers_keep_every_digit) {
  Report report = bare_report();
  report.incidents[0].id = std::numeric_limits<std::uint64_t>::max();
  report.incidents[0].victims[0].points = std::numeric_limits<std::int64_t>::min();
  const std::string text = render_json(report);
  EXPECT_NE(text.find("\"id\": 18446744073709551615"), std::string::npos);
  EXPECT_NE(text.find("\"points\": -9223372036854775808"), std::string::npos);
}

TEST(RenderJson, numbers_that_are_not_finite_are_null) {
  Report report = bare_report();
  report.incidents[0].cause.confidence = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(parsed(report)["incidents"][0]["cause"]["confidence"].is_null());
}

TEST(RenderJson, a_diagnosis_is_a_cause_with_remedies) {
  const auto diagnosis = parsed(no_incident_report())["diagnosis"][0];
  EXPECT_EQ(diagnosis["kind"], "shm_exhaustion");
  EXPECT_EQ(diagnosis["remedies"][0]["title"], "Give the container more shared memory");
}

}  // namespace
}  // namespace oomtrace::test
