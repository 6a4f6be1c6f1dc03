// SPDX-License-Identifier: Apache-2.0
// What reaches a terminal has no power over it.
#include "base/text.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/utf8.h"

namespace oomtrace {
namespace {

TEST(EscapeTerminal, leaves_plain_text_alone) {
  EXPECT_EQ(escape_terminal("python3 train.py --path C:\\x"), "python3 train.py --path C:\\x");
  EXPECT_EQ(escape_terminal("训练 café 😀"), "训练 café 😀");
}

TEST(EscapeTerminal, makes_control_characters_visible) {
  EXPECT_EQ(escape_terminal("a\nb\rc\td"), "a\\nb\\rc\\td");
  EXPECT_EQ(escape_terminal("\x1b[2J\x1b]0;x\x07"), "\\x1b[2J\\x1b]0;x\\x07");
  EXPECT_EQ(escape_terminal(std::string_view("\0\x7f", 2)), "\\x00\\x7f");
  EXPECT_EQ(escape_terminal("\xC2\x9B"), "\\u009b");  // C1 CSI
}

TEST(EscapeTerminal, makes_bidi_and_invisible_characters_visible) {
  EXPECT_EQ(escape_terminal("a\u202Eb"), "a\\u202eb");
  EXPECT_EQ(escape_terminal("\u2066\u200F\u061C\uFEFF\u200B"), "\\u2066\\u200f\\u061c\\ufeff\\u200b");
  EXPECT_EQ(escape_terminal("\u2028\u2029"), "\\u2028\\u2029");
  EXPECT_EQ(escape_terminal("\U000E0041"), "\\U000e0041");
}

TEST(EscapeTerminal, makes_invalid_bytes_visible) {
  EXPECT_EQ(escape_terminal("\xFFx\xC3"), "\\xffx\\xc3");
  EXPECT_EQ(escape_terminal("\x9B"
                            "31m"),
            "\\x9b31m");  // eight-bit CSI
}

TEST(EscapeTerminal, any_bytes_become_inert_and_stay_so) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 40, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    const std::string escaped = escape_terminal(bytes);
    ASSERT_TRUE(is_valid_utf8(escaped));
    for (std::size_t i = 0; i < escaped.size();) {
      const CodePoint point = decode_utf8(std::string_view(escaped).substr(i));
      ASSERT_GE(point.value, 0x20U);
      ASSERT_FALSE(point.value >= 0x7F && point.value < 0xA0);
      ASSERT_FALSE(point.value >= 0x202A && point.value <= 0x202E);
      i += point.size;
    }
    ASSERT_EQ(escape_terminal(escaped), escaped);
  }
}

}  // namespace
}  // namespace oomtrace
