// SPDX-License-Identifier: Apache-2.0
// Chunks of bytes -> the lines that matter.
#include "kernel_log/line_feed.h"

#include <algorithm>
#include <cstdint>

#include "kernel_log/needle_search.h"
#include "kernel_log/scan.h"

namespace oomtrace::kernel_log {
namespace {

constexpr std::size_t kPiece = 1024 * 1024;
constexpr std::size_t kMaxLine = 256 * 1024;
constexpr std::size_t kLookBack = 256 * 1024;
constexpr std::size_t kMaxBinary = 1024 * 1024;
constexpr std::size_t kPlausibleBinary = 64 * 1024 * 1024;
constexpr std::size_t kGraceLines = 8;
// Lines always looked back over: a name wrapped away from "invoked", the other members of a JSON object.
constexpr std::size_t kLinesBefore = 4;

// A row of the task table somewhere in the line: "[ 1234]  0 1234".
bool holds_row(std::string_view line) {
  for (auto open = line.find('['); open != line.npos; open = line.find('[', open + 1)) {
    std::string_view s = line.substr(open + 1);
    const auto skip_blanks = [&s] {
      while (!s.empty() && (is_blank(s.front()) || s.front() == '\xc2' || s.front() == '\xa0')) s.remove_prefix(1);
    };
    skip_blanks();
    std::size_t digits = 0;
    while (digits < s.size() && is_digit(s[digits])) ++digits;
    s.remove_prefix(digits);
    skip_blanks();
    if (digits == 0 || !take(s, ']')) continue;
    skip_blanks();
    if (!s.empty() && is_digit(s.front())) return true;
  }
  return false;
}

// A line that belongs to the one behind it: a table row or the rest of a wrapped one, a member of a JSON object or an
// export record.
bool belongs_to_next(std::string_view line) {
  const std::string_view t = trim(line);
  if (t.empty()) return false;
  if (t.front() == '"') return true;
  if (t.front() == '_' || (t.front() >= 'A' && t.front() <= 'Z')) {
    std::size_t n = 0;
    while (n < t.size() && (is_digit(t[n]) || t[n] == '_' || (t[n] >= 'A' && t[n] <= 'Z'))) ++n;
    if (n > 3 && n < t.size() && t[n] == '=') return true;
  }
  if (is_digit(t.front()) && t.size() < 80 && !contains(t, ":")) return true;
  return holds_row(line);
}

}  // namespace

void LineFeed::feed(std::string_view chunk) {
  while (!chunk.empty()) {
    const std::string_view piece = chunk.substr(0, kPiece);
    chunk.remove_prefix(piece.size());
    buffer_ += piece;
    run(false);
    drop_used();
  }
}

void LineFeed::run(bool at_end) {
  for (;;) {
    if (skip_ > 0) {
      const std::size_t n = std::min(skip_, buffer_.size() - at_);
      at_ += n;
      skip_ -= n;
      if (skip_ > 0) return;
    }
    if (reader_.wants_binary() ? !take_binary(at_end) : reading_ ? !read_line(at_end) : !pass_over(at_end)) return;
  }
}

bool LineFeed::read_line(bool at_end) {
  const auto newline = buffer_.find('\n', at_);
  if (newline != buffer_.npos) {
    give(newline, newline + 1);
  } else if (buffer_.size() - at_ > kMaxLine) {
    // A JSON document on one line: its objects are read one by one.
    const auto joint = buffer_.rfind("},{");
    const bool document = joint != buffer_.npos && joint > at_ && (buffer_[at_] == '{' || buffer_[at_] == '[');
    give(document ? joint + 1 : buffer_.size(), document ? joint + 2 : buffer_.size());
  } else if (at_end && at_ < buffer_.size()) {
    give(buffer_.size(), buffer_.size());
  } else {
    return false;
  }
  if (grace_ > 0) --grace_;
  if (grace_ == 0 && at_ >= read_until_ && !reader_.needs_lines() && !reader_.wants_binary()) {
    reading_ = false;
    passed_from_ = at_;
  }
  return true;
}

bool LineFeed::pass_over(bool at_end) {
  std::size_t end = buffer_.size();
  const bool overlong = end - at_ > kMaxLine + kPiece;
  if (!at_end && !overlong) end = buffer_.rfind('\n') + 1;
  if (end <= at_ || end > buffer_.size()) return false;
  const std::size_t hit = find_needle(std::string_view(buffer_).substr(0, end), at_);
  if (hit == std::string_view::npos) {
    at_ = overlong ? end - 64 : end;
    return false;
  }
  const std::size_t line_start = hit == 0 ? 0 : std::max(at_, buffer_.rfind('\n', hit - 1) + 1);
  const auto line_end = buffer_.find('\n', hit);
  at_ = look_back(line_start);
  read_until_ = line_end == buffer_.npos ? buffer_.size() : line_end + 1;
  grace_ = kGraceLines;
  reading_ = true;
  return true;
}

std::size_t LineFeed::look_back(std::size_t line_start) const {
  std::size_t start = line_start;
  for (std::size_t lines = 0; start > passed_from_ && line_start - start < kLookBack; ++lines) {
    const auto before = start < 2 ? buffer_.npos : buffer_.rfind('\n', start - 2);
    const std::size_t previous = before == buffer_.npos ? passed_from_ : std::max(passed_from_, before + 1);
    const std::string_view line = std::string_view(buffer_).substr(previous, start - previous);
    if (lines >= kLinesBefore && !belongs_to_next(line)) break;
    start = previous;
  }
  return start;
}

bool LineFeed::take_binary(bool at_end) {
  const std::size_t there = buffer_.size() - at_;
  if (there < 8) {
    if (!at_end) return false;
    reader_.on_binary({});
    at_ = buffer_.size();
    return true;
  }
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < 8; ++i)
    length |= static_cast<std::uint64_t>(static_cast<unsigned char>(buffer_[at_ + i])) << (8 * i);
  if (length > kPlausibleBinary) {  // not what it seemed
    reader_.on_binary({});
    return true;
  }
  if (length > kMaxBinary) {
    reader_.on_binary({});
    skip_ = length + 9;
    return true;
  }
  if (there < 9 + length && !at_end) return false;
  reader_.on_binary(std::string_view(buffer_).substr(at_ + 8, length));
  at_ = std::min<std::size_t>(buffer_.size(), at_ + 9 + length);
  return true;
}

void LineFeed::give(std::size_t end, std::size_t next) {
  const std::string_view line = std::string_view(buffer_).substr(at_, end - at_);
  at_ = next;
  reader_.on_line(line);
}

void LineFeed::drop_used() {
  std::size_t keep = at_;
  if (!reading_) keep = std::max(passed_from_, at_ > kLookBack ? at_ - kLookBack : 0);
  if (keep < kLookBack) return;
  buffer_.erase(0, keep);
  at_ -= keep;
  passed_from_ = passed_from_ > keep ? passed_from_ - keep : 0;
  read_until_ = read_until_ > keep ? read_until_ - keep : 0;
}

}  // namespace oomtrace::kernel_log
