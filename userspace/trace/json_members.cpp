// SPDX-License-Identifier: Apache-2.0
// The scanner behind ordering and detection.
#include "trace/json_members.h"

#include <charconv>

namespace oomtrace::trace {
namespace {

// Pipelines turn numbers into text ("7") or floating point (7.0, 7e0); as long as it is a whole number, it counts.
std::optional<std::uint64_t> whole_number(std::string_view value) {
  constexpr double kExact = 9007199254740992.0;  // 2^53, up to where doubles count one by one
  if (value.size() >= 2 && value.front() == '"') value = value.substr(1, value.size() - 2);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  const char* const end = value.data() + value.size();
  std::uint64_t number = 0;
  if (const auto got = std::from_chars(value.data(), end, number); got.ec == std::errc{} && got.ptr == end)
    return number;
  double real = 0;
  const auto got = std::from_chars(value.data(), end, real);
  if (got.ec != std::errc{} || got.ptr != end || !(real >= 0 && real < kExact)) return std::nullopt;
  number = static_cast<std::uint64_t>(real);
  if (static_cast<double>(number) != real) return std::nullopt;
  return number;
}

bool is_string(std::string_view value) { return value.size() >= 2 && value.front() == '"'; }

}  // namespace

JsonMembers::JsonMembers(std::string_view text) : text_(text) {
  skip_blanks();
  inside_ = peek() == '{';
  ++position_;
}

void JsonMembers::skip_blanks() {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (position_ < text_.size() && blank(text_[position_])) ++position_;
}

// The string at the cursor with its quotes; empty where there is none or it does not end.
std::string_view JsonMembers::take_string() {
  const std::size_t start = position_;
  if (peek() != '"') return {};
  // Nearly every string ends at the next quote.
  std::size_t at = text_.find('"', start + 1);
  if (at == std::string_view::npos) return {};
  const std::size_t escape = text_.substr(start, at - start).find('\\');
  for (at = escape == std::string_view::npos ? at : start + escape; at < text_.size(); ++at) {
    if (text_[at] == '\\') {
      ++at;  // what it escapes
    } else if (text_[at] == '"') {
      position_ = at + 1;
      return text_.substr(start, position_ - start);
    }
  }
  return {};
}

// Any value at the cursor; empty where it does not end. Objects and arrays are counted as one kind of bracket.
std::string_view JsonMembers::take_value() {
  if (peek() == '"') return take_string();
  const std::size_t start = position_;
  std::size_t depth = 0;
  while (position_ < text_.size()) {
    const char c = text_[position_];
    if (c == '"') {
      if (take_string().empty()) return {};
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') {
      if (depth == 0) return text_.substr(start, position_ - start);  // the end of the outermost object
      --depth;
    }
    if (c == ',' && depth == 0) return text_.substr(start, position_ - start);
    ++position_;
  }
  return {};
}

bool JsonMembers::next() {
  if (!inside_) return false;
  inside_ = false;  // until this member proves whole
  skip_blanks();
  if (!first_) {
    if (peek() != ',') return false;
    ++position_;
    skip_blanks();
  }
  first_ = false;
  const std::string_view key = take_string();
  if (key.empty()) return false;
  skip_blanks();
  if (peek() != ':') return false;
  ++position_;
  skip_blanks();
  value_ = take_value();
  if (value_.empty()) return false;
  key_ = key.substr(1, key.size() - 2);
  inside_ = true;
  return true;
}

std::optional<LineKey> line_key(std::string_view line) {
  std::optional<std::string_view> trace_id;
  std::optional<std::uint64_t> seq;
  for (JsonMembers members(line); members.next();) {
    std::string_view value = members.value();
    if (members.key() == "trace_id" && !trace_id) {
      if (!is_string(value)) return std::nullopt;
      value = value.substr(1, value.size() - 2);
      if (value.empty() || value.size() > kMaxTraceIdBytes || value.find('\\') != std::string_view::npos) {
        return std::nullopt;
      }
      trace_id = value;
    } else if (members.key() == "seq" && !seq) {
      seq = whole_number(value);
      if (!seq) return std::nullopt;
    } else {
      continue;
    }
    if (trace_id && seq) return LineKey{*trace_id, *seq};
  }
  return std::nullopt;
}

bool is_event_line(std::string_view line) {
  bool event = false;
  bool trace_id = false;
  for (JsonMembers members(line); members.next() && !(event && trace_id);) {
    event = event || (members.key() == "event" && is_string(members.value()));
    trace_id = trace_id || (members.key() == "trace_id" && is_string(members.value()));
  }
  return event && trace_id;
}

}  // namespace oomtrace::trace
