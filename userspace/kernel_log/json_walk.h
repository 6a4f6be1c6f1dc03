// SPDX-License-Identifier: Apache-2.0
// A tolerant walk over JSON text as log tools write it, line by line and without recursion.
#pragma once

#include <string>
#include <string_view>

namespace oomtrace::kernel_log {

// Takes a JSON string (with its quotes), an array of numbers, or a bare word off the front, as raw text. Empty if
// there is none whole; a string that does not end takes all of `s`.
std::string_view take_json_value(std::string_view& s);

// Decodes a raw value: a string's escapes, an array of byte values (journalctl's form of text that is not clean), or
// the word itself.
std::string decode_json_value(std::string_view raw);

// Calls visitor.member(key, raw value) for every member whose value is no object or array of objects,
// visitor.element(raw value) for a string that is no member's, visitor.open() and visitor.close() at braces. What is no
// JSON is skipped. Keys are given raw, without quotes.
template <class Visitor>
void walk_json(std::string_view s, Visitor& visitor) {
  const auto skip_blanks = [&s] {
    while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  };
  while (!s.empty()) {
    const char c = s.front();
    if (c != '"') {
      s.remove_prefix(1);
      if (c == '{') visitor.open();
      if (c == '}') visitor.close();
      continue;
    }
    const std::string_view key = take_json_value(s);
    skip_blanks();
    if (key.size() >= 2 && (s.empty() || s.front() == ',' || s.front() == ']')) visitor.element(key);
    if (key.size() < 2 || s.empty() || s.front() != ':') continue;
    s.remove_prefix(1);
    skip_blanks();
    if (s.empty() || s.front() == '{') continue;
    const std::string_view value = take_json_value(s);
    if (!value.empty()) {
      visitor.member(key.substr(1, key.size() - 2), value);
    } else if (!s.empty()) {
      s.remove_prefix(1);
    }
  }
}

}  // namespace oomtrace::kernel_log
