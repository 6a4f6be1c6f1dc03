// SPDX-License-Identifier: Apache-2.0
// Byte stream that may be UTF-16 (as PowerShell redirects it) -> UTF-8 bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace oomtrace::kernel_log {

class Utf16Filter {
 public:
  // The chunk as it is, or recoded if the stream began with a UTF-16 byte order mark. The view lives until the next
  // call.
  std::string_view recode(std::string_view chunk);

 private:
  void add_unit(std::uint16_t unit);

  enum class Encoding { kUnknown, kBytes, kLittle, kBig } encoding_ = Encoding::kUnknown;
  std::string out_;
  std::string begin_;  // the first byte, until the second tells
  bool half_ = false;
  unsigned char first_byte_ = 0;
  std::uint16_t high_surrogate_ = 0;
};

}  // namespace oomtrace::kernel_log
