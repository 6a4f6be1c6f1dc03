// SPDX-License-Identifier: Apache-2.0
// Keys of lines, found without decoding them.
#include "trace/json_members.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "unit/trace/trace_support.h"

namespace oomtrace::test {
namespace {

using trace::is_event_line;
using trace::JsonMembers;
using trace::line_key;
using trace::LineKey;

std::string walk(std::string_view text) {
  std::string all;
  for (JsonMembers members(text); members.next();) {
    all += std::string(members.key()) + "=" + std::string(members.value()) + ";";
  }
  return all;
}

TEST(JsonMembers, outermost_members_are_walked_in_order) {
  EXPECT_EQ(walk(R"({"a":1,"b":"x","c":{"a":[1,{"b":"}"}]},"d":[],"e":null,"f":-1.5e3})"),
            R"(a=1;b="x";c={"a":[1,{"b":"}"}]};d=[];e=null;f=-1.5e3;)");
  EXPECT_EQ(walk("  { \"a\" : 1 , \"b\"\t:\t\"x\" } "), "a=1 ;b=\"x\";");
  EXPECT_EQ(walk(R"({"a\"b":"c\\","d":"\"}"})"), R"(a\"b="c\\";d="\"}";)");
}

TEST(JsonMembers, walk_ends_where_the_text_is_none) {
  EXPECT_EQ(walk(""), "");
  EXPECT_EQ(walk("[1,2]"), "");
  EXPECT_EQ(walk("text"), "");
  EXPECT_EQ(walk("{}"), "");
  EXPECT_EQ(walk(R"({"a":1 "b":2})"), "a=1 \"b\":2;");  // not a validator
  EXPECT_EQ(walk(R"({"a":1,"b":"cut)"), "a=1;");
  EXPECT_EQ(walk(R"({"a":1,"b")"), "a=1;");
  EXPECT_EQ(walk(R"({"a":1,b:2})"), "a=1;");
  EXPECT_EQ(walk(R"({"a":1,"b":{"c":1)"), "a=1;");
  EXPECT_EQ(walk(R"({"a":"x\)"), "");
}

TEST(JsonMembers, deep_nesting_and_every_cut_are_harmless) {
  EXPECT_EQ(walk("{\"a\":" + std::string(1'000'000, '[')), "");
  const std::string line = memory_line(7);
  for (std::size_t cut = 0; cut <= line.size(); ++cut) (void)walk(std::string_view(line).substr(0, cut));
  std::mt19937 random(3);
  for (int round = 0; round < 2000; ++round) {
    std::string damaged = line;
    for (int i = 0; i < 5; ++i) damaged[random() % damaged.size()] = "{}[]\",:\\\0x"[random() % 10];
    (void)walk(damaged);
    (void)line_key(damaged);
  }
}

TEST(LineKey, is_found_wherever_the_members_stand) {
  EXPECT_EQ(line_key(memory_line(12345)), (LineKey{kTraceId, 12345}));
  EXPECT_EQ(line_key(R"({"seq":18446744073709551615,"x":{"seq":1,"trace_id":"no"},"trace_id":"ab"})"),
            (LineKey{"ab", 18446744073709551615ULL}));
  EXPECT_EQ(line_key(R"({ "trace_id" : "ab" , "seq" : 7 })"), (LineKey{"ab", 7}));
}

TEST(LineKey, text_inside_values_is_no_key) {
  const std::string inside = R"({"message":"\"trace_id\":\"evil\",\"seq\":1,","trace_id":"ab","seq":2})";
  EXPECT_EQ(line_key(inside), (LineKey{"ab", 2}));
  EXPECT_FALSE(line_key(R"({"kernel":{"trace_id":"ab","seq":2}})"));
}

TEST(LineKey, number_changed_by_a_pipeline_counts) {
  for (const char* number : {"7", "\"7\"", "7.0", "7e0", "0.7e1", "\"7.0\""}) {
    EXPECT_EQ(line_key("{\"trace_id\":\"ab\",\"seq\":" + std::string(number) + "}"), (LineKey{"ab", 7})) << number;
  }
}

TEST(LineKey, anything_but_a_plain_id_and_a_whole_number_is_none) {
  for (const char* id : {"5", "\"\"", "\"a\\u0062\"", "null", "[\"ab\"]"}) {
    EXPECT_FALSE(line_key("{\"trace_id\":" + std::string(id) + ",\"seq\":1}")) << id;
  }
  for (const char* number : {"-1", "7.5", "\"x\"", "\"\"", "18446744073709551616", "1e300", "nan", "", "null", "[1]"}) {
    EXPECT_FALSE(line_key("{\"trace_id\":\"ab\",\"seq\":" + std::string(number) + "}")) << number;
  }
  EXPECT_FALSE(line_key("{\"trace_id\":\"ab\"}"));
  EXPECT_FALSE(line_key("{\"seq\":1}"));
  EXPECT_FALSE(line_key("{\"trace_id\":\"" + std::string(65, 'a') + "\",\"seq\":1}"));
}

TEST(LineKey, order_is_by_trace_then_by_number) {
  EXPECT_LT((LineKey{"a", 9}), (LineKey{"b", 1}));
  EXPECT_LT((LineKey{"a", 9}), (LineKey{"a", 10}));
}

TEST(IsEventLine, needs_event_and_trace_id_at_the_top) {
  EXPECT_TRUE(is_event_line(memory_line(1)));
  EXPECT_TRUE(is_event_line(memory_line(1).substr(0, 300)));  // a head may cut it
  EXPECT_FALSE(is_event_line(R"({"event":"x"})"));
  EXPECT_FALSE(is_event_line(R"({"MESSAGE":"\"event\":\"x\",\"trace_id\":\"y\""})"));
  EXPECT_FALSE(is_event_line(R"({"log":{"event":"x","trace_id":"y"}})"));
  EXPECT_FALSE(is_event_line(R"({"event":1,"trace_id":"y"})"));
}

}  // namespace
}  // namespace oomtrace::test
