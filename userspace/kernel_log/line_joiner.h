// SPDX-License-Identifier: Apache-2.0
// Puts messages together again that mail programs, terminals or names with newlines broke over several lines.
#pragma once

#include <string>
#include <string_view>

#include "kernel_log/record.h"
#include "kernel_log/record_reader.h"

namespace oomtrace::kernel_log {

// Holds one record back until it is whole by the grammar of its own message. Only what lacks its end is ever joined,
// and only with a line that has no prefix and looks like that end.
class LineJoiner : public RecordSink {
 public:
  explicit LineJoiner(RecordSink& next) : next_(next) {}

  void on_record(const LogRecord& record) override;
  // Gives out what is held back.
  void flush();
  // What is held back; empty if nothing is.
  std::string_view held_message() const { return holding_ ? std::string_view(message_) : std::string_view(); }

 private:
  void hold(const LogRecord& record);

  RecordSink& next_;
  bool holding_ = false;
  LogRecord held_;  // its views are of the strings below
  std::string message_, host_, ident_, caller_, boot_id_;
};

// How `next` continues `message`: not at all, behind a blank, or directly. For tests.
enum class Join { kNo, kBlank, kDirect };
Join continues(std::string_view message, std::string_view next);

}  // namespace oomtrace::kernel_log
