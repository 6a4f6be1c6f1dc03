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
    width_ = candidate_ = 0;
  }
  const bool broken = last_prefixed_ && !prefixed && length > 0 && last_length_ == longest_ &&
                      last_length_ >= kNarrowest && last_length_ <= kWidest;
  if (broken && width_ == 0) {
    if (last_length_ == candidate_) width_ = candidate_;
    candidate_ = last_length_;
  }
  last_length_ = length;
  last_prefixed_ = prefixed;
}

bool HardWrap::add(std::string_view line) {
  held_ += line;
  return line.size() == width_ && held_.size() < kMaxLine;
}

std::string HardWrap::take() {
  last_prefixed_ = false;
  return std::exchange(held_, {});
}

}  // namespace oomtrace::kernel_log
