// SPDX-License-Identifier: Apache-2.0
// Byte stream that may be UTF-16 -> UTF-8 bytes.
#include "kernel_log/utf16.h"

namespace oomtrace::kernel_log {

std::string_view Utf16Filter::recode(std::string_view chunk) {
  if (encoding_ == Encoding::kBytes) return chunk;
  out_.clear();
  if (encoding_ == Encoding::kUnknown) {
    while (begin_.size() < 2 && !chunk.empty()) {
      begin_ += chunk.front();
      chunk.remove_prefix(1);
    }
    if (begin_ == "\xff\xfe") {
      encoding_ = Encoding::kLittle;
    } else if (begin_ == "\xfe\xff") {
      encoding_ = Encoding::kBig;
    } else if (begin_.size() == 2 || (begin_.size() == 1 && begin_[0] != '\xff' && begin_[0] != '\xfe')) {
      encoding_ = Encoding::kBytes;
      out_ = begin_;
      out_ += chunk;
      return out_;
    } else {
      return {};
    }
  }
  for (const char c : chunk) {
    const auto byte = static_cast<unsigned char>(c);
    if (!half_) {
      first_byte_ = byte;
    } else if (encoding_ == Encoding::kLittle) {
      add_unit(static_cast<std::uint16_t>(byte << 8 | first_byte_));
    } else {
      add_unit(static_cast<std::uint16_t>(first_byte_ << 8 | byte));
    }
    half_ = !half_;
  }
  return out_;
}

void Utf16Filter::add_unit(std::uint16_t unit) {
  std::uint32_t c = unit;
  if (unit >= 0xd800 && unit < 0xdc00) {
    high_surrogate_ = unit;
    return;
  }
  if (unit >= 0xdc00 && unit < 0xe000) {
    c = high_surrogate_ ? 0x10000 + ((high_surrogate_ - 0xd800U) << 10) + (unit - 0xdc00U) : 0xfffd;
  }
  high_surrogate_ = 0;
  const auto tail = [this](std::uint32_t bits) { out_ += static_cast<char>(0x80 | (bits & 0x3f)); };
  if (c < 0x80) {
    out_ += static_cast<char>(c);
  } else if (c < 0x800) {
    out_ += static_cast<char>(0xc0 | c >> 6);
    tail(c);
  } else if (c < 0x10000) {
    out_ += static_cast<char>(0xe0 | c >> 12);
    tail(c >> 6);
    tail(c);
  } else {
    out_ += static_cast<char>(0xf0 | c >> 18);
    tail(c >> 12);
    tail(c >> 6);
    tail(c);
  }
}

}  // namespace oomtrace::kernel_log
