// SPDX-License-Identifier: Apache-2.0
// What is UTF-8 and what is not, after RFC 3629.
#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

#include "base/text.h"

namespace oomtrace {
namespace {

using namespace std::string_view_literals;

TEST(Utf8, every_scalar_value_goes_both_ways) {
  for (char32_t value = 0; value <= 0x10FFFF; value = value == 0xD7FF ? 0xE000 : value + 1) {
    char bytes[4];
    const std::size_t size = encode_utf8(value, bytes);
    const CodePoint point = decode_utf8({bytes, size});
    ASSERT_TRUE(point.valid) << static_cast<unsigned>(value);
    ASSERT_EQ(point.value, value);
    ASSERT_EQ(point.size, size);
    for (std::size_t cut = 1; cut < size; ++cut) ASSERT_FALSE(decode_utf8({bytes, cut}).valid);
  }
}

TEST(Utf8, refuses_overlong_surrogate_and_too_large_forms) {
  for (const std::string_view bad :
       {"\x80"sv, "\xBF"sv, "\xC0\x80"sv, "\xC1\xBF"sv, "\xE0\x80\x80"sv, "\xE0\x9F\xBF"sv, "\xED\xA0\x80"sv,
        "\xED\xBF\xBF"sv, "\xF0\x80\x80\x80"sv, "\xF0\x8F\xBF\xBF"sv, "\xF4\x90\x80\x80"sv, "\xF5\x80\x80\x80"sv,
        "\xFE"sv, "\xFF"sv, "\xC3"sv, "\xE2\x82"sv, "\xF0\x9F\x98"sv, "\xC3("sv, "\xE2(\xA1"sv}) {
    EXPECT_FALSE(is_valid_utf8(bad)) << testing::PrintToString(std::string(bad));
    EXPECT_EQ(decode_utf8(bad).size, 1);
    EXPECT_TRUE(is_valid_utf8(make_utf8(bad)));
  }
}

TEST(Utf8, make_utf8_replaces_only_the_bad_bytes) {
  EXPECT_EQ(make_utf8("caf\xC3\xA9 \xFF!"), "café \xEF\xBF\xBD!");
  EXPECT_EQ(make_utf8("\xE2\x82"), "\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(make_utf8(""), "");
}

TEST(Utf8, prefix_never_cuts_a_character) {
  EXPECT_EQ(utf8_prefix("añb", 1), "a");
  EXPECT_EQ(utf8_prefix("añb", 2), "a");
  EXPECT_EQ(utf8_prefix("añb", 3), "añ");
  EXPECT_EQ(utf8_prefix("añb", 9), "añb");
  EXPECT_EQ(utf8_prefix("😀", 3), "");
  EXPECT_EQ(utf8_prefix("😀x", 4), "😀");
  EXPECT_EQ(utf8_prefix("abc", 0), "");
  EXPECT_EQ(utf8_prefix("\xFF\xFF\xFF", 2), "\xFF\xFF");  // not UTF-8 before, so nothing to keep whole
  EXPECT_EQ(utf8_prefix("\x80\x80\x80\x80\x80", 4).size(), 4U);
}

}  // namespace
}  // namespace oomtrace
