// SPDX-License-Identifier: Apache-2.0
// Lines of a log in any form -> LogRecords.
#include "kernel_log/record_reader.h"

#include <array>
#include <string_view>

#include "kernel_log/clean_line.h"
#include "kernel_log/json_walk.h"
#include "kernel_log/needle_search.h"
#include "kernel_log/prefix.h"
#include "kernel_log/scan.h"
#include "kernel_log/timestamp.h"

namespace oomtrace::kernel_log {
namespace {

constexpr std::size_t kMaxJsonDepth = 64;

bool starts_json(std::string_view s) {
  take(s, "data: ");
  take(s, '\x1e');
  if (!s.starts_with('{') && !s.starts_with("[{") && !s.starts_with("[\"")) return false;
  s = trim(s.substr(s.starts_with("[{") ? 2 : 1));
  return s.empty() || s.front() == '"';
}

bool is_field_name(std::string_view s) {
  if (s.empty() || s.size() > 64) return false;
  for (const char c : s) {
    if (!(c >= 'A' && c <= 'Z') && !is_digit(c) && c != '_') return false;
  }
  return !is_digit(s.front());
}

std::string_view trim_end(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  return line;
}

// Lines whose names may hold an escaped newline of their own.
bool names_a_task(std::string_view s) {
  return contains(s, "ill process ") || contains(s, "led process ") || contains(s, "invoked oom") ||
         contains(s, "oom-kill:") || trim_front(s).starts_with('[');
}

}  // namespace

void RecordReader::line(std::string_view raw) {
  const std::string_view text = mail_.decode(raw);
  if (!mail_.waits()) unwrapped_line(trim_end(text));
}

void RecordReader::unwrapped_line(std::string_view text) {
  if (wrap_.waits()) {
    std::string scratch;
    const bool other = text.empty() || strip_prefix(clean_line(text, scratch), year_, {}).prefixed;
    if (!other && wrap_.add(text)) return;
    whole_line(wrap_.take());
    if (!other) return;
  }
  if (wrap_.is_full(text)) {
    wrap_.hold(text);
    return;
  }
  last_prefixed_ = false;
  whole_line(text);
  // The dictionary lines of a kmsg record have no prefix, and break nothing.
  if (!after_kmsg_) wrap_.saw(text.size(), last_prefixed_);
}

void RecordReader::whole_line(std::string_view text) {
  // Lone carriage returns: a terminal drew over its line, or the file has no other line ends.
  for (std::string_view rest = text;;) {
    const auto end = rest.find('\r');
    if (end == rest.npos || end + 1 == rest.size()) return plain_line(rest);
    if (end > 0) plain_line(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
}

void RecordReader::plain_line(std::string_view raw) {
  std::string_view s = clean_line(raw, scratch_);
  if (export_line(s)) return;
  const std::string_view t = trim_front(s);
  if (starts_json(t)) {
    if (s.starts_with('{')) {
      json_depth_ = 0;
      fields_.clear();
    }
    walk_json(t, *this);
    return;
  }
  if (json_depth_ > 0) {
    if (!t.empty() && std::string_view("\"{}[]").find(t.front()) != std::string_view::npos) {
      walk_json(t, *this);
      return;
    }
    json_depth_ = 0;
    fields_.clear();
  }
  LogRecord kmsg;
  std::string_view rest = t;
  if (take_kmsg_header(rest, kmsg)) {
    after_kmsg_ = true;
  } else if (after_kmsg_ && s.starts_with(' ')) {
    // Dictionary of the record before: " SUBSYSTEM=acpi".
    const auto equals = t.find('=');
    if (equals != t.npos && is_field_name(t.substr(0, equals))) return;
    after_kmsg_ = false;
  } else {
    after_kmsg_ = false;
  }
  emit({}, s);
}

bool RecordReader::export_line(std::string_view s) {
  if (!in_export_) {
    if (!s.starts_with("__CURSOR=") && !s.starts_with("__REALTIME_TIMESTAMP=")) return false;
    in_export_ = true;
    fields_.clear();
  }
  if (s.empty()) {
    in_export_ = false;
    emit_fields();
    return true;
  }
  const auto equals = s.find('=');
  const std::string_view name = s.substr(0, equals);
  if (!is_field_name(name)) {
    in_export_ = false;
    fields_.clear();
    return false;
  }
  if (equals == s.npos) {
    binary_key_ = name;
  } else {
    fields_.add(name, std::string(s.substr(equals + 1)));
  }
  return true;
}

void RecordReader::binary(std::string_view value) {
  fields_.add(binary_key_, std::string(value));
  binary_key_.clear();
}

void RecordReader::open() {
  if (json_depth_ == 0) fields_.clear();
  if (json_depth_ < kMaxJsonDepth) ++json_depth_;
}

void RecordReader::close() {
  if (json_depth_ > 0) --json_depth_;
  emit_fields();
}

void RecordReader::member(std::string_view key, std::string_view raw_value) {
  fields_.add(key, decode_json_value(raw_value));
}

// A string in an array: a line of the log, or the time of one.
void RecordReader::element(std::string_view raw_value) {
  constexpr std::size_t kShortest = 3;
  const std::string text = decode_json_value(raw_value);
  const bool number = text.find_first_not_of("0123456789.") == text.npos;
  if (text.size() >= kShortest && !number) emit({}, text);
}

void RecordReader::emit_fields() {
  if (fields_.has_message()) emit(fields_.header(), fields_.message());
  fields_.clear();
}

namespace {

// The lines of one text. Each mark is looked for from the last line's end on only where it was not found behind it.
class NextLine {
 public:
  NextLine(std::string_view text, bool escaped) : text_(text), marks_(escaped ? kMarks.size() : 1) {}

  bool done() const { return begin_ >= text_.size(); }
  std::string_view take() {
    std::size_t end = std::string_view::npos, skip = 0;
    for (std::size_t i = 0; i < marks_; ++i) {
      if (at_[i] < begin_ || !looked_) at_[i] = text_.find(kMarks[i], begin_);
      if (at_[i] < end) end = at_[i], skip = kMarks[i].size();
    }
    looked_ = true;
    const std::string_view line = text_.substr(begin_, end - begin_);
    begin_ = end == std::string_view::npos ? text_.size() : end + skip;
    return line;
  }

 private:
  static constexpr std::array<std::string_view, 3> kMarks{"\n", "\\x0a", "#012"};

  std::string_view text_;
  std::size_t marks_;
  std::size_t begin_ = 0;
  bool looked_ = false;
  std::array<std::size_t, kMarks.size()> at_{};
};

}  // namespace

void RecordReader::emit(const LogRecord& header, std::string_view text) {
  // A record of several lines, as one text or with its newlines escaped by who stored it.
  const bool escaped = (contains(text, "\\x0a") || contains(text, "#012")) && !names_a_task(text);
  NextLine lines(text, escaped);
  LogRecord first = header;
  for (bool begin = true; begin || !lines.done(); begin = false) {
    std::string_view piece = lines.take();
    // `first` keeps views of the first piece while the others follow.
    std::string later_scratch;
    if (header.prefixed) piece = clean_line(piece, begin ? first_scratch_ : later_scratch);
    if (begin) {
      first = strip_prefix(piece, year_, header);
      last_prefixed_ = first.prefixed;
      emit_split(first);
    } else if (!piece.empty()) {
      LogRecord record = first;
      record.message = trim_back(piece);
      give(record);
    }
  }
}

// Messages that share a line, each with its stamp: console output behind other text, or a log pasted without its
// newlines.
void RecordReader::emit_split(LogRecord record) {
  std::string_view rest = record.message;
  for (auto open = record.foreign ? rest.npos : rest.find('[', 1); open != rest.npos; open = rest.find('[', open + 1)) {
    std::string_view stamped = rest.substr(open);
    const char before = open == 0 ? ' ' : rest[open - 1];
    if (std::string_view(" \t:;,|>(\"'`").find(before) == std::string_view::npos) continue;
    Stamp stamp;
    if (!take_printk_stamp(stamped, stamp) || !stamp.printk_us) continue;
    record.message = trim_back(rest.substr(0, open));
    if (record.message.ends_with("\\n")) record.message.remove_suffix(2);
    record.message = trim_back(record.message);
    // What stands in front of the first stamp of a line is a prefix that nobody knows, unless it speaks of a kill.
    if (record.prefixed || find_needle(record.message, 0) != std::string_view::npos) give(record);
    record.stamp.printk_us = stamp.printk_us;
    record.prefixed = true;
    record.caller = {};
    take_caller(stamped, record.caller);
    rest = stamped;
    record.message = rest;
    open = 0;
  }
  give(record);
}

void RecordReader::give(LogRecord record) {
  frame_.apply(record);
  sink_.on_record(record);
}

void RecordReader::finish() {
  if (wrap_.waits()) whole_line(wrap_.take());
  if (in_export_) emit_fields();
  in_export_ = false;
  json_depth_ = 0;
  binary_key_.clear();
}

}  // namespace oomtrace::kernel_log
