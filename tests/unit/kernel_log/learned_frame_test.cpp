// SPDX-License-Identifier: Apache-2.0
// What others put around messages is learnt from lines that the kernel fixes, and taken off the like only.
#include "kernel_log/learned_frame.h"

#include <gtest/gtest.h>

namespace oomtrace::kernel_log {
namespace {

std::string applied(LearnedFrame& frame, std::string_view message) {
  LogRecord record;
  record.message = message;
  frame.apply(record);
  return std::string(record.message);
}

TEST(LearnedFrame, leaves_lines_alone_before_it_has_seen_one_that_is_fixed) {
  LearnedFrame frame;
  EXPECT_EQ(applied(frame, "a;1;active_anon:1"), "a;1;active_anon:1");
}

TEST(LearnedFrame, takes_the_like_off_with_other_numbers) {
  LearnedFrame frame;
  EXPECT_EQ(applied(frame, "node7;1021;warn;Mem-Info:;end"), "Mem-Info:");
  EXPECT_EQ(applied(frame, "node7;7;warn;active_anon:1;end"), "active_anon:1");
  EXPECT_EQ(applied(frame, "node8;7;warn;x;end"), "x") << "the number of the node is a number";
  EXPECT_EQ(applied(frame, "other;7;warn;x;end"), "other;7;warn;x;end");
}

TEST(LearnedFrame, keeps_the_blanks_that_are_the_messages_own) {
  LearnedFrame frame;
  applied(frame, "<< 12 >> Call Trace:");
  EXPECT_EQ(applied(frame, "<<  3 >>  dump_stack+0x1/0x2"), " dump_stack+0x1/0x2");
}

TEST(LearnedFrame, is_forgotten_when_a_fixed_line_stands_alone) {
  LearnedFrame frame;
  applied(frame, "x: Mem-Info:");
  EXPECT_EQ(applied(frame, "x: a"), "a");
  EXPECT_EQ(applied(frame, "Mem-Info:"), "Mem-Info:");
  EXPECT_EQ(applied(frame, "x: a"), "x: a");
}

TEST(LearnedFrame, gives_the_record_the_stamp_that_it_takes_off) {
  LearnedFrame frame;
  LogRecord record;
  record.message = "a|2026-03-24T14:32:11Z|Mem-Info:";
  frame.apply(record);
  EXPECT_EQ(record.message, "Mem-Info:");
  EXPECT_EQ(record.stamp.wall_ns, 1'774'362'731'000'000'000);
}

TEST(LearnedFrame, is_not_learnt_from_other_programs) {
  LearnedFrame frame;
  LogRecord record;
  record.message = "quoting the kernel: Mem-Info:";
  record.foreign = true;
  frame.apply(record);
  EXPECT_EQ(applied(frame, "quoting the kernel: x"), "quoting the kernel: x");
}

TEST(MatchAlike, wants_the_same_signs_and_any_numbers) {
  EXPECT_EQ(match_alike("a 1] ", "a 22] x"), 6U);
  EXPECT_EQ(match_alike("a 22] ", "a  1] x"), 6U);
  EXPECT_EQ(match_alike("a 1] ", "b 1] x"), std::string_view::npos);
  EXPECT_EQ(match_alike("a 1] ", "a x] x"), std::string_view::npos);
  EXPECT_EQ(match_alike("a 1] ", "a 1]"), std::string_view::npos);
  EXPECT_EQ(match_alike("", "x"), 0U);
  EXPECT_EQ(match_alike("x", ""), std::string_view::npos);
}

}  // namespace
}  // namespace oomtrace::kernel_log
