// SPDX-License-Identifier: Apache-2.0
// RFC 3339 both ways, over the whole range of int64 nanoseconds.
#include "base/time_text.h"

#include <gtest/gtest.h>

#include <ctime>
#include <limits>
#include <random>

namespace oomtrace {
namespace {

TEST(Rfc3339, known_times) {
  EXPECT_EQ(format_rfc3339_ns(0), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(format_rfc3339_ns(1'774'362'731'123'456'789), "2026-03-24T14:32:11.123456789Z");
  EXPECT_EQ(format_rfc3339_ns(-1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(format_rfc3339_ns(951'782'400'000'000'000), "2000-02-29T00:00:00.000000000Z");
  EXPECT_EQ(format_rfc3339_ns(std::numeric_limits<std::int64_t>::max()), "2262-04-11T23:47:16.854775807Z");
  EXPECT_EQ(format_rfc3339_ns(std::numeric_limits<std::int64_t>::min()), "1677-09-21T00:12:43.145224192Z");
}

TEST(Rfc3339, agrees_with_the_c_library_and_reads_back) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 20'000; ++round) {
    const auto ns = static_cast<std::int64_t>(random());
    const std::string text = format_rfc3339_ns(ns);
    ASSERT_EQ(parse_rfc3339(text), ns) << text;
    const std::time_t seconds = ns / 1'000'000'000 - (ns % 1'000'000'000 < 0 ? 1 : 0);
    std::tm parts{};
    ASSERT_NE(::gmtime_r(&seconds, &parts), nullptr);
    char expected[32];
    ASSERT_GT(std::strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S", &parts), 0U);
    ASSERT_EQ(text.substr(0, 19), expected);
  }
  for (const std::int64_t edge : {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_EQ(parse_rfc3339(format_rfc3339_ns(edge)), edge);
  }
}

TEST(Rfc3339, reads_the_forms_that_the_rfc_allows) {
  const std::int64_t noon = *parse_rfc3339("2026-03-24T12:00:00Z");
  EXPECT_EQ(parse_rfc3339("2026-03-24t12:00:00z"), noon);
  EXPECT_EQ(parse_rfc3339("2026-03-24 12:00:00.0Z"), noon);
  EXPECT_EQ(parse_rfc3339("2026-03-24T14:00:00+02:00"), noon);
  EXPECT_EQ(parse_rfc3339("2026-03-24T06:30:00-05:30"), noon);
  EXPECT_EQ(parse_rfc3339("2026-03-24T12:00:00.5Z"), noon + 500'000'000);
  EXPECT_EQ(parse_rfc3339("2026-03-24T12:00:00.1234567899Z"), noon + 123'456'789);
  EXPECT_EQ(parse_rfc3339("2016-12-31T23:59:60Z"), parse_rfc3339("2017-01-01T00:00:00Z"));
}

TEST(Rfc3339, refuses_everything_else) {
  for (const char* text : {"",
                           "2026-03-24",
                           "2026-03-24T12:00:00",
                           "2026-3-24T12:00:00Z",
                           "2026-03-24T12:00:00.Z",
                           "2026-02-29T12:00:00Z",
                           "2026-13-01T00:00:00Z",
                           "2026-00-01T00:00:00Z",
                           "2026-01-00T00:00:00Z",
                           "2026-04-31T00:00:00Z",
                           "2026-03-24T24:00:00Z",
                           "2026-03-24T12:60:00Z",
                           "2026-03-24T12:00:61Z",
                           "2026-03-24T12:00:00Z ",
                           "2026-03-24T12:00:00+2:00",
                           "2026-03-24T12:00:00+0200",
                           "2026-03-24T12:00:00+24:00",
                           "x026-03-24T12:00:00Z",
                           "1600-01-01T00:00:00Z",
                           "2262-04-12T00:00:00Z",
                           "9999-12-31T23:59:59Z",
                           "0000-01-01T00:00:00Z"}) {
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
  }
}

// Of the same second, of the next, in other forms, and what is none: always as it is read by itself.
TEST(Rfc3339, many_in_a_row_are_read_as_each_by_itself) {
  std::mt19937_64 random(5);
  Rfc3339Reader reader;
  EXPECT_EQ(reader.read(std::string(20, '\0') + "123456789Z"), std::nullopt);
  for (const std::int64_t from : {-3'000'000'000LL, 0LL, 951'782'399'000'000'000LL, 1'774'362'731'000'000'000LL,
                                  9'223'372'036'000'000'000LL - 3'000'000'000LL}) {
    for (int round = 0; round < 5'000; ++round) {
      std::string text = format_rfc3339_ns(from + static_cast<std::int64_t>(random() % 3'800'000'000));
      if (round % 3 == 0) text[random() % text.size()] = "0159-:.TZ+ x"[random() % 12];
      if (round % 7 == 0) text.erase(20 + random() % 9, 1);
      ASSERT_EQ(reader.read(text), parse_rfc3339(text)) << text;
    }
  }
}

TEST(TimeText, compact_form_for_file_names) {
  EXPECT_EQ(compact_utc(1'774'362'131'999'999'999), "20260324T142211Z");
  EXPECT_EQ(compact_utc(0), "19700101T000000Z");
}

}  // namespace
}  // namespace oomtrace
