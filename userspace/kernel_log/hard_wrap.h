// SPDX-License-Identifier: Apache-2.0
// Lines that a terminal broke at its width: put together again, byte for byte.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace oomtrace::kernel_log {

// The width is the longest line's, if most lines with a prefix that are followed by one without are as long. What wraps
// between words has many lengths and is the LineJoiner's.
class HardWrap {
 public:
  // Tells of a line that was read as it is, and whether it had a prefix.
  void saw(std::size_t length, bool prefixed);
  // Whether the line may go on in the next one.
  bool is_full(std::string_view line) const;

  // Where a full line waits for the next one.
  bool waits() const { return !held_.empty(); }
  void hold(std::string_view line) { held_ = line; }
  // Adds the next line; true if that one was full as well.
  bool add(std::string_view line);
  std::string take();

 private:
  std::size_t longest_ = 0, last_length_ = 0;
  std::size_t full_ = 0, shorter_ = 0;  // broken lines of that length, and of others
  bool last_prefixed_ = false;
  std::string held_;
};

}  // namespace oomtrace::kernel_log
