// SPDX-License-Identifier: Apache-2.0
// What stands around the messages of a log in a form that nobody taught: columns of a spreadsheet, a diff's plus signs,
// markup, a console server's own marks.
#pragma once

#include <string>
#include <string_view>

#include "kernel_log/record.h"

namespace oomtrace::kernel_log {

// Learns from lines whose text the kernel fixes ("Call Trace:", "Mem-Info:", ...) what others put before and behind it,
// and takes the like off the lines that follow. Numbers may differ, all else must be the same.
class LearnedFrame {
 public:
  // Changes the record's message; a time stamp in what is taken off goes to the record if it has none.
  void apply(LogRecord& record);

 private:
  void look(std::string_view message);
  void learn(std::string_view before, std::string_view behind);

  std::string before_, behind_;
};

// Length of the beginning of `text` that looks like all of `sample`: digits match digits, other characters themselves.
// npos if it does not. For tests.
std::size_t match_alike(std::string_view sample, std::string_view text);

}  // namespace oomtrace::kernel_log
