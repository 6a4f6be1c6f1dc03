// SPDX-License-Identifier: Apache-2.0
// A tolerant walk over JSON text as log tools write it.
#include "kernel_log/json_walk.h"

#include <cstdint>
#include <optional>

#include "kernel_log/scan.h"

namespace oomtrace::kernel_log {
namespace {

void append_utf8(std::string& out, std::uint32_t c) {
  const auto tail = [&out](std::uint32_t bits) { out += static_cast<char>(0x80 | (bits & 0x3f)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | c >> 6);
    tail(c);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | c >> 12);
    tail(c >> 6);
    tail(c);
  } else {
    out += static_cast<char>(0xf0 | c >> 18);
    tail(c >> 12);
    tail(c >> 6);
    tail(c);
  }
}

std::optional<std::uint32_t> take_hex4(std::string_view& s) {
  if (s.size() < 4) return std::nullopt;
  std::string_view digits = s.substr(0, 4);
  const auto value = take_hex(digits);
  if (!value || !digits.empty()) return std::nullopt;
  s.remove_prefix(4);
  return static_cast<std::uint32_t>(*value);
}

// Behind "\u": one code point, from two escapes where it needs a surrogate pair.
void decode_unicode(std::string_view& s, std::string& out) {
  auto code = take_hex4(s);
  if (!code) return;
  if (*code >= 0xd800 && *code < 0xdc00 && s.starts_with("\\u")) {
    std::string_view rest = s.substr(2);
    const auto low = take_hex4(rest);
    if (low && *low >= 0xdc00 && *low < 0xe000) {
      code = 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00);
      s = rest;
    }
  }
  append_utf8(out, *code >= 0xd800 && *code < 0xe000 ? 0xfffd : *code);
}

std::string decode_string(std::string_view s) {
  std::string out;
  out.reserve(s.size());
  while (!s.empty()) {
    const char c = s.front();
    s.remove_prefix(1);
    if (c != '\\' || s.empty()) {
      out += c;
      continue;
    }
    const char kind = s.front();
    s.remove_prefix(1);
    static constexpr std::string_view kNames = "ntrbf", kBytes = "\n\t\r\b\f";
    if (kind == 'u') {
      decode_unicode(s, out);
    } else if (const auto at = kNames.find(kind); at != kNames.npos) {
      out += kBytes[at];
    } else {
      out += kind;
    }
  }
  return out;
}

std::string decode_byte_array(std::string_view s) {
  std::string out;
  while (!s.empty()) {
    if (!is_digit(s.front())) {
      s.remove_prefix(1);
      continue;
    }
    const auto byte = take_number<std::uint32_t>(s);
    if (!byte || *byte > 255) return {};
    out += static_cast<char>(*byte);
  }
  return out;
}

}  // namespace

std::string_view take_json_value(std::string_view& s) {
  std::size_t n = 0;
  if (s.starts_with('"')) {
    for (n = 1; n < s.size() && s[n] != '"'; ++n) n += s[n] == '\\';
    if (n >= s.size()) {
      s = {};
      return {};
    }
    ++n;
  } else if (s.starts_with('[')) {
    // Of numbers only: what else stands in an array is looked at one by one.
    n = s.find_first_of("]{[\"", 1);
    if (n == s.npos || s[n] != ']') return {};
    ++n;
  } else {
    while (n < s.size() && s[n] != ',' && s[n] != '}' && s[n] != ']' && !is_blank(s[n])) ++n;
  }
  const std::string_view value = s.substr(0, n);
  s.remove_prefix(n);
  return value;
}

std::string decode_json_value(std::string_view raw) {
  if (raw.size() >= 2 && raw.front() == '"') return decode_string(raw.substr(1, raw.size() - 2));
  if (raw.starts_with('[')) return decode_byte_array(raw);
  return std::string(raw);
}

}  // namespace oomtrace::kernel_log
