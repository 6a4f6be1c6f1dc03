// SPDX-License-Identifier: Apache-2.0
// A look at the outermost members of a JSON line, many times faster than decoding it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace oomtrace::trace {

// Walks the members of the outermost object in order. Made for telling and ordering lines, not for validating them:
// malformed or cut text simply ends the walk. Linear in the text, no recursion, no allocation.
class JsonMembers {
 public:
  explicit JsonMembers(std::string_view text);

  bool next();  // false at the end, or where the text is none

  std::string_view key() const { return key_; }      // as it stands between its quotes, escapes included
  std::string_view value() const { return value_; }  // as it stands, quotes included

 private:
  std::string_view take_string();
  std::string_view take_value();
  void skip_blanks();
  char peek() const { return position_ < text_.size() ? text_[position_] : '\0'; }

  std::string_view text_;
  std::size_t position_ = 0;
  bool inside_ = false;
  bool first_ = true;
  std::string_view key_;
  std::string_view value_;
};

inline constexpr std::size_t kMaxTraceIdBytes = 64;

// What orders event lines. trace_id is a view into the line.
struct LineKey {
  std::string_view trace_id;
  std::uint64_t seq = 0;

  bool operator==(const LineKey&) const = default;
  bool operator<(const LineKey& other) const {
    return trace_id != other.trace_id ? trace_id < other.trace_id : seq < other.seq;
  }
};

// nullopt where the line is no object with a string "trace_id" of 1 to 64 plain characters and a whole number "seq",
// which may have become text or floating point on its way.
std::optional<LineKey> line_key(std::string_view line);

// Whether the line, or what is there of it, has the members "event" and "trace_id", both strings: one of our events.
bool is_event_line(std::string_view line);

}  // namespace oomtrace::trace
