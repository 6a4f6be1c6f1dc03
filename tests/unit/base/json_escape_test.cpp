// SPDX-License-Identifier: Apache-2.0
// Inside of JSON strings: complete, bounded, always valid.
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

#include "base/text.h"

namespace oomtrace {
namespace {

std::string escaped(std::string_view text) {
  std::string out(text.size() * 6, '\0');
  const EscapedText done = escape_json(text, out);
  EXPECT_EQ(done.consumed, text.size());
  out.resize(done.written);
  return out;
}

TEST(EscapeJson, escapes_what_json_demands_and_no_more) {
  EXPECT_EQ(escaped("a\"b\\c/d"), "a\\\"b\\\\c/d");
  EXPECT_EQ(escaped("\n\r\t\b\f"), "\\n\\r\\t\\b\\f");
  EXPECT_EQ(escaped(std::string_view("\0\x1b\x7f", 3)), "\\u0000\\u001b\\u007f");
  EXPECT_EQ(escaped("训 😀 é"), "训 😀 é");
  EXPECT_EQ(escaped("\u0085\u2028\u2029\u00A0"), "\\u0085\\u2028\\u2029\u00A0");
}

TEST(EscapeJson, invalid_bytes_become_replacement_characters) {
  EXPECT_EQ(escaped("x\xFFy"), "x\xEF\xBF\xBDy");
  EXPECT_EQ(escaped("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(EscapeJson, a_byte_is_escaped_wherever_it_stands_in_plain_text) {
  const std::string plain = "0123456789abcdefghi";
  for (int byte = 0; byte < 256; ++byte) {
    const std::string one(1, static_cast<char>(byte));
    for (std::size_t place = 0; place <= plain.size(); ++place) {
      const std::string text = plain.substr(0, place) + one + plain.substr(place);
      ASSERT_EQ(escaped(text), plain.substr(0, place) + escaped(one) + plain.substr(place)) << byte << " at " << place;
    }
  }
}

TEST(EscapeJson, stops_in_front_of_what_does_not_fit_whole) {
  const std::string text = "a\"\n\x01é\xFF训";
  const std::string whole = escaped(text);
  for (std::size_t room = 0; room <= whole.size(); ++room) {
    std::string out(room + 1, '#');
    const EscapedText done = escape_json(text, std::span(out.data(), room));
    ASSERT_LE(done.written, room);
    ASSERT_EQ(out[room], '#');
    ASSERT_EQ(out.substr(0, done.written), whole.substr(0, done.written));
    ASSERT_EQ(escaped(text.substr(0, done.consumed)), whole.substr(0, done.written));
    ASSERT_TRUE(is_valid_utf8(out.substr(0, done.written)));
  }
}

TEST(EscapeJson, any_bytes_give_valid_utf8_without_raw_controls) {
  std::mt19937 random(11);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 40, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    const std::string out = escaped(bytes);
    ASSERT_TRUE(is_valid_utf8(out));
    for (const char c : out) ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  }
}

}  // namespace
}  // namespace oomtrace
