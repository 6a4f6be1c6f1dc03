// SPDX-License-Identifier: Apache-2.0
// UTF-8 one code point at a time, refusing what RFC 3629 refuses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace oomtrace {

struct CodePoint {
  char32_t value = 0;     // U+FFFD where the bytes are not UTF-8
  std::uint8_t size = 0;  // bytes it takes; 1 for an invalid byte
  bool valid = false;
};

// The code point that starts at text[0]; text is not empty. Overlong forms, surrogates, values above U+10FFFF and cut
// sequences are invalid and take one byte.
CodePoint decode_utf8(std::string_view text);

// Bytes of UTF-8 that `value` takes, written to out[0..3].
std::size_t encode_utf8(char32_t value, char* out);

// Longest prefix of at most max_bytes that does not cut a valid code point.
std::string_view utf8_prefix(std::string_view text, std::size_t max_bytes);

}  // namespace oomtrace
