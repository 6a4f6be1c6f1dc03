// SPDX-License-Identifier: Apache-2.0
// Hostile text made harmless: for terminals, for columns, for JSON.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace oomtrace {

inline constexpr std::string_view kReplacementUtf8 = "\xEF\xBF\xBD";  // U+FFFD

// Any bytes into valid UTF-8 without power over a terminal or over the order of what is read: control characters (C0,
// DEL, C1), line and paragraph separators, bidirectional and other invisible formatting characters and invalid bytes
// become visible escapes: \n \r \t \x1b \xff \u202e \U000e0041. A backslash stays as it is, so that paths remain
// readable: the result is for people, not for reading back.
std::string escape_terminal(std::string_view text);

bool is_valid_utf8(std::string_view text);
// Each invalid byte becomes U+FFFD.
std::string make_utf8(std::string_view text);

// Columns that a terminal gives to text: 2 for East Asian wide and emoji, 0 for combining marks, 1 otherwise. For text
// that went through escape_terminal(); control characters count 0 here, invalid bytes 1.
std::size_t display_width(std::string_view text);

// Text of at most `width` columns: as it is where it fits, else cut between code points and ended with "…" ("..." when
// ascii; as many dots as fit where width is below 3).
std::string truncate_to_width(std::string_view text, std::size_t width, bool ascii = false);

// Truncates, then adds blanks up to `width` columns, behind the text or (right) in front of it.
std::string pad_to_width(std::string_view text, std::size_t width, bool right = false, bool ascii = false);

// How far a bounded escape came.
struct EscapedText {
  std::size_t written = 0;   // bytes put into the buffer
  std::size_t consumed = 0;  // bytes of the text they stand for; less than its size where the buffer was full
};

// The inside of a JSON string (RFC 8259, section 7), without quotes: quote and backslash, all control characters and
// the line and paragraph separators are escaped, invalid bytes become U+FFFD. Never writes half a character, never
// allocates.
EscapedText escape_json(std::string_view text, std::span<char> out);

}  // namespace oomtrace
