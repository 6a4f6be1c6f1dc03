// SPDX-License-Identifier: Apache-2.0
// Chunks of bytes -> the lines that matter: passes over everything else by word search, with some lines before each
// hit.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace oomtrace::kernel_log {

// Who reads the lines tells when each of them is needed.
class LineReader {
 public:
  virtual ~LineReader() = default;
  virtual void on_line(std::string_view line) = 0;
  // True while lines must not be passed over.
  virtual bool needs_lines() const = 0;
  // True after a line that announced a binary value (Journal Export Format).
  virtual bool wants_binary() const = 0;
  virtual void on_binary(std::string_view value) = 0;
};

// Memory: the longest line, what is looked back over, and one piece; about 2 MiB.
class LineFeed {
 public:
  explicit LineFeed(LineReader& reader) : reader_(reader) {}

  void feed(std::string_view chunk);
  // Gives the last line if it has no newline.
  void finish() { run(true); }

 private:
  void run(bool at_end);
  bool read_line(bool at_end);
  bool pass_over(bool at_end);
  bool take_binary(bool at_end);
  void give(std::size_t end, std::size_t next);
  std::size_t look_back(std::size_t line_start) const;
  void drop_used();

  LineReader& reader_;
  std::string buffer_;
  std::size_t at_ = 0;           // everything before was given out or passed over
  std::size_t passed_from_ = 0;  // what was passed over, and may be looked back over, begins here
  std::size_t read_until_ = 0;   // every line before this is given
  std::size_t grace_ = 1024;     // lines given whatever they hold: at the start, and after each hit
  std::size_t skip_ = 0;         // bytes of a binary value too long to be a message
  bool reading_ = true;
};

}  // namespace oomtrace::kernel_log
