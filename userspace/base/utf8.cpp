// SPDX-License-Identifier: Apache-2.0
// UTF-8 decoding after RFC 3629, section 4, and the whole-text helpers built on it.
#include "base/utf8.h"

#include "base/text.h"

namespace oomtrace {

namespace {

constexpr CodePoint kInvalid{0xFFFD, 1, false};

bool is_continuation(unsigned char byte) { return (byte & 0xC0U) == 0x80U; }

}  // namespace

CodePoint decode_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  std::uint8_t size = 0;
  char32_t value = 0;
  char32_t least = 0;
  if (lead >= 0xC2 && lead <= 0xDF) {
    size = 2, value = lead & 0x1FU, least = 0x80;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    size = 3, value = lead & 0x0FU, least = 0x800;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    size = 4, value = lead & 0x07U, least = 0x10000;
  } else {
    return kInvalid;
  }
  if (text.size() < size) return kInvalid;
  for (std::uint8_t i = 1; i < size; ++i) {
    if (!is_continuation(byte(i))) return kInvalid;
    value = (value << 6U) | (byte(i) & 0x3FU);
  }
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < least || value > 0x10FFFF || surrogate) return kInvalid;
  return {value, size, true};
}

std::size_t encode_utf8(char32_t value, char* out) {
  const auto put = [](char32_t bits) { return static_cast<char>(static_cast<unsigned char>(bits)); };
  if (value < 0x80) {
    out[0] = put(value);
    return 1;
  }
  if (value < 0x800) {
    out[0] = put(0xC0U | (value >> 6U));
    out[1] = put(0x80U | (value & 0x3FU));
    return 2;
  }
  if (value < 0x10000) {
    out[0] = put(0xE0U | (value >> 12U));
    out[1] = put(0x80U | ((value >> 6U) & 0x3FU));
    out[2] = put(0x80U | (value & 0x3FU));
    return 3;
  }
  out[0] = put(0xF0U | (value >> 18U));
  out[1] = put(0x80U | ((value >> 12U) & 0x3FU));
  out[2] = put(0x80U | ((value >> 6U) & 0x3FU));
  out[3] = put(0x80U | (value & 0x3FU));
  return 4;
}

std::string_view utf8_prefix(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  // A code point has at most three bytes before the cut: look back that far for its lead.
  for (std::size_t back = 1; back <= 3 && back <= max_bytes; ++back) {
    const std::size_t start = max_bytes - back;
    if (is_continuation(static_cast<unsigned char>(text[start]))) continue;
    const CodePoint point = decode_utf8(text.substr(start));
    return text.substr(0, start + point.size > max_bytes ? start : max_bytes);
  }
  return text.substr(0, max_bytes);
}

bool is_valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint point = decode_utf8(text.substr(i));
    if (!point.valid) return false;
    i += point.size;
  }
  return true;
}

std::string make_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint point = decode_utf8(text.substr(i));
    if (point.valid) {
      out.append(text.substr(i, point.size));
    } else {
      out.append(kReplacementUtf8);
    }
    i += point.size;
  }
  return out;
}

}  // namespace oomtrace
