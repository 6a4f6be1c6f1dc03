// SPDX-License-Identifier: Apache-2.0
// Lines that a terminal broke at its width: put together again, byte for byte.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace oomtrace::kernel_log {

// Learns the width from lines with a prefix that are followed by one without: two of the same length, with no line of
// the log longer, make it one. What wraps between words has many lengths and is the LineJoiner's.
class HardWrap {
 public:
  // Tells of a line that was read as it is, and whether it had a prefix.
  void saw(std::size_t length, bool prefixed);
  // Whether the line may go on in the next one.
  bool is_full(std::string_view line) const { return width_ != 0 && line.size() == width_; }

  // Where a full line waits for the next one.
  bool waits() const { return !held_.empty(); }
  void hold(std::string_view line) { held_ = line; }
  // Adds the next line; true if that one was full as well.
  bool add(std::string_view line);
  std::string take();

 private:
  std::size_t width_ = 0, candidate_ = 0, longest_ = 0, last_length_ = 0;
  bool last_prefixed_ = false;
  std::string held_;
};

}  // namespace oomtrace::kernel_log
