// SPDX-License-Identifier: Apache-2.0
// Lines of a log in any form -> LogRecords: tells text, JSON and journal export apart line by line.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "kernel_log/hard_wrap.h"
#include "kernel_log/learned_frame.h"
#include "kernel_log/quoted_printable.h"
#include "kernel_log/record.h"
#include "kernel_log/record_fields.h"

namespace oomtrace::kernel_log {

class RecordSink {
 public:
  virtual ~RecordSink() = default;
  virtual void on_record(const LogRecord& record) = 0;
};

class RecordReader {
 public:
  // `year` is for time stamps without one; nullopt leaves them without wall time.
  RecordReader(RecordSink& sink, std::optional<int> year) : sink_(sink), year_(year) {}

  // One line without its newline.
  void line(std::string_view raw);
  // After a line that was the name of a binary export field: the caller hands over 8 bytes of length (little endian),
  // that many bytes of value and skips a newline (systemd's Journal Export Format).
  bool wants_binary() const { return !binary_key_.empty(); }
  void binary(std::string_view value);
  // A record spans lines and is not finished.
  bool in_record() const { return json_depth_ > 0 || in_export_ || mail_.waits() || wrap_.waits(); }
  void finish();

  // Visitor of walk_json().
  void open();
  void close();
  void member(std::string_view key, std::string_view raw_value);
  void element(std::string_view raw_value);

 private:
  void unwrapped_line(std::string_view text);
  void whole_line(std::string_view text);
  void plain_line(std::string_view raw);
  bool export_line(std::string_view line);
  void emit_fields();
  void emit(const LogRecord& header, std::string_view text);
  void emit_split(LogRecord record);
  void give(LogRecord record);

  RecordSink& sink_;
  std::optional<int> year_;
  RecordFields fields_;
  LearnedFrame frame_;
  QuotedPrintable mail_;
  HardWrap wrap_;
  std::string scratch_, first_scratch_, binary_key_;
  std::size_t json_depth_ = 0;
  bool in_export_ = false;
  bool after_kmsg_ = false;
  bool last_prefixed_ = false;  // the last line's record had a prefix
};

}  // namespace oomtrace::kernel_log
