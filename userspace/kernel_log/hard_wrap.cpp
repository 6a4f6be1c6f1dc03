// SPDX-License-Identifier: Apache-2.0
// Lines that a terminal broke at its width.
#include "kernel_log/hard_wrap.h"

#include <utility>

namespace oomtrace::kernel_log {
namespace {

constexpr std::size_t kNarrowest = 40;
constexpr std::size_t kWidest = 512;
constexpr std::size_t kMaxLine = 16 * 1024;

}  // namespace

void HardWrap::saw(std::size_t length, bool prefixed) {
  if (length > longest_) {
    longest_ = length;
    full_ = shorter_ = 0;
  }
  if (last_prefixed_ && !prefixed && length > 0) ++(last_length_ == longest_ ? full_ : shorter_);
  last_length_ = length;
  last_prefixed_ = prefixed;
}

bool HardWrap::is_full(std::string_view line) const {
  const bool hard = full_ >= 2 && full_ > shorter_ && longest_ >= kNarrowest && longest_ <= kWidest;
  return hard && line.size() == longest_;
}

bool HardWrap::add(std::string_view line) {
  held_ += line;
  ++full_;
  return line.size() == longest_ && held_.size() < kMaxLine;
}

std::string HardWrap::take() {
  last_prefixed_ = false;
  return std::exchange(held_, {});
}

}  // namespace oomtrace::kernel_log
