// SPDX-License-Identifier: Apache-2.0
// Breaking and cutting of lines.
#include "report/text_canvas.h"

#include <gtest/gtest.h>

namespace oomtrace {
namespace {

using Lines = std::vector<std::string>;

TEST(WrapText, breaks_at_the_last_blank_that_fits) {
  EXPECT_EQ(wrap_text("one two three", 7, 20), (Lines{"one two", "three"}));
  EXPECT_EQ(wrap_text("one two three", 6, 20), (Lines{"one", "two three"}));
  EXPECT_EQ(wrap_text("one", 3, 3), (Lines{"one"}));
  EXPECT_EQ(wrap_text("", 3, 3), (Lines{""}));
}

TEST(WrapText, runs_of_blanks_stay_within_a_line_and_vanish_at_a_break) {
  EXPECT_EQ(wrap_text("a  b", 10, 10), (Lines{"a  b"}));
  EXPECT_EQ(wrap_text("aaa    bbb", 5, 10), (Lines{"aaa", "bbb"}));
}

TEST(WrapText, cuts_a_word_that_no_line_holds) {
  EXPECT_EQ(wrap_text("abcdefgh", 3, 4), (Lines{"abc", "defg", "h"}));
  EXPECT_EQ(wrap_text("x abcdefgh", 4, 4), (Lines{"x", "abcd", "efgh"}));
}

TEST(WrapText, wide_characters_count_two_columns) {
  EXPECT_EQ(wrap_text("訓練機", 5, 5), (Lines{"訓練", "機"}));
  EXPECT_EQ(wrap_text("訓練", 1, 1), (Lines{"訓", "練"}));
}

TEST(Canvas, a_path_is_cut_in_its_middle) {
  const Canvas canvas(TextOptions{});
  EXPECT_EQ(canvas.safe_path("/a/b/c", 10), "/a/b/c");
  EXPECT_EQ(canvas.safe_path("/kubepods/burstable/leaf", 10), "/ku…e/leaf");
  EXPECT_EQ(canvas.safe_path("/訓練/訓練/訓練", 8).substr(0, 1), "/");
  TextOptions ascii;
  ascii.unicode = false;
  EXPECT_EQ(Canvas(ascii).safe_path("/kubepods/burstable/leaf", 11), "/k...e/leaf");
}

TEST(Canvas, a_line_is_cut_at_the_width_and_coloured_as_a_whole) {
  TextOptions options;
  options.width = 40;
  options.color = true;
  Canvas canvas(options);
  canvas.line(std::string(50, 'x'), Style::kRed);
  EXPECT_EQ(canvas.take(), "\x1b[31m" + std::string(39, 'x') + "…\x1b[0m\n");
}

TEST(Canvas, facts_continue_below_their_text) {
  TextOptions options;
  options.width = 40;
  Canvas canvas(options);
  canvas.fact("Label", "one two three four five six seven");
  EXPECT_EQ(canvas.take(), "  Label        one two three four five\n               six seven\n");
}

TEST(Canvas, without_unicode_other_characters_become_escapes) {
  TextOptions options;
  options.unicode = false;
  EXPECT_EQ(Canvas(options).safe("é\x1b🔥"), "\\u00e9\\x1b\\U0001f525");
}

}  // namespace
}  // namespace oomtrace
