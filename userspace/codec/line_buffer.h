// SPDX-License-Identifier: Apache-2.0
// JSON text in a fixed buffer: what has no room is refused whole, what was opened can always be closed.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>

#include "base/text.h"

namespace oomtrace::codec {

class LineBuffer {
 public:
  // The last `reserve` bytes are kept for close(). `max_text`: bytes that a text may take in its escaped form.
  LineBuffer(std::span<char> out, std::size_t reserve, std::size_t max_text)
      : out_(out), limit_(out.size() - reserve), max_text_(max_text) {}

  std::size_t size() const { return used_; }
  void rewind(std::size_t size) { used_ = size; }
  bool shortened() const { return shortened_; }

  bool put(char c) { return put(std::string_view(&c, 1)); }
  bool put(std::string_view bytes) {
    if (bytes.size() > room()) return false;
    bytes.copy(out_.data() + used_, bytes.size());
    used_ += bytes.size();
    return true;
  }

  // Integers in full; other numbers in the shortest form that reads back the same. JSON has no infinities.
  template <class T>
  bool put_number(T value) {
    if constexpr (std::is_floating_point_v<T>) {
      if (!std::isfinite(value)) return false;
      char digits[32];
      const auto end = fmt::format_to_n(digits, sizeof digits, "{}", value);
      return put(std::string_view(digits, std::min(end.size, sizeof digits)));
    } else {
      const fmt::format_int digits(value);
      return put(std::string_view(digits.data(), digits.size()));
    }
  }

  // A text that is longer than max_text is cut; one that has no room is refused.
  bool put_text(std::string_view text) {
    const std::size_t start = used_;
    if (!put('"')) return false;
    const std::size_t space = std::min(room(), max_text_);
    const EscapedText escaped = escape_json(text, out_.subspan(used_, space));
    used_ += escaped.written;
    const bool cut = escaped.consumed < text.size();
    if ((cut && space < max_text_) || !put('"')) {
      used_ = start;
      return false;
    }
    shortened_ |= cut;
    return true;
  }

  // For closing what was opened: uses the reserve.
  void close(std::string_view bytes) {
    const std::size_t size = std::min(bytes.size(), out_.size() - used_);
    bytes.copy(out_.data() + used_, size);
    used_ += size;
  }

 private:
  std::size_t room() const { return used_ < limit_ ? limit_ - used_ : 0; }

  std::span<char> out_;
  std::size_t limit_;
  std::size_t max_text_;
  std::size_t used_ = 0;
  bool shortened_ = false;
};

}  // namespace oomtrace::codec
