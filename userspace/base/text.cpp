// SPDX-License-Identifier: Apache-2.0
// Escaping for terminals and for JSON.
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "base/utf8.h"

namespace oomtrace {

namespace {

struct Range {
  char32_t first, last;
};

// Characters that show nothing and change how what surrounds them is shown (Unicode general categories Cc, Cf, Zl, Zp
// as far as terminals or readers heed them).
constexpr Range kInert[] = {
    {0x0000, 0x001F},   {0x007F, 0x009F},   {0x00AD, 0x00AD},   {0x061C, 0x061C}, {0x180E, 0x180E},
    {0x200B, 0x200F},   {0x2028, 0x202E},   {0x2060, 0x206F},   {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB},
    {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE007F},
};

bool needs_escape(char32_t value) {
  for (const Range& range : kInert) {
    if (value < range.first) return false;
    if (value <= range.last) return true;
  }
  return false;
}

void append_escape(std::string& out, char32_t value) {
  switch (value) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  const auto number = static_cast<std::uint32_t>(value);
  if (value < 0x80) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", number);
  } else if (value < 0x10000) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", number);
  } else {
    fmt::format_to(std::back_inserter(out), "\\U{:08x}", number);
  }
}

// C1 controls, line and paragraph separator: JSON lets them stand, but many a reader of lines ends a line at them.
bool parts_lines(char32_t value) { return (value >= 0x80 && value < 0xA0) || value == 0x2028 || value == 0x2029; }

// What a byte below 0x80 becomes inside a JSON string: 0 = itself, 'u' = \u00XX, else the letter behind the backslash.
constexpr std::array<char, 128> kJsonEscape = [] {
  std::array<char, 128> table{};
  for (std::size_t i = 0; i < 0x20; ++i) table[i] = 'u';
  table[0x7F] = 'u';
  table['"'] = '"';
  table['\\'] = '\\';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  table['\b'] = 'b';
  table['\f'] = 'f';
  return table;
}();

}  // namespace

std::string escape_terminal(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint point = decode_utf8(text.substr(i));
    if (!point.valid) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(text[i]));
    } else if (needs_escape(point.value)) {
      append_escape(out, point.value);
    } else {
      out.append(text.substr(i, point.size));
    }
    i += point.size;
  }
  return out;
}

namespace {

// Whether all eight bytes stand for themselves in JSON: printable ASCII but '"' and '\\'. Eight at a time, since nearly
// every text is nothing else.
bool all_plain(std::uint64_t eight) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  constexpr std::uint64_t kHigh = 0x80 * kEach;
  const auto below = [](std::uint64_t word, std::uint64_t limit) { return (word - kEach * limit) & ~word & kHigh; };
  const auto has = [&](char byte) { return below(eight ^ kEach * static_cast<unsigned char>(byte), 1); };
  return ((eight & kHigh) | below(eight, 0x20) | has('"') | has('\\') | has('\x7f')) == 0;
}

// Copies what stands for itself at the front, as far as there is room; how many bytes that was.
std::size_t copy_plain(std::string_view text, std::span<char> out) {
  const std::size_t end = std::min(text.size(), out.size());
  std::size_t at = 0;
  std::uint64_t eight = 0;
  for (; end - at >= sizeof eight; at += sizeof eight) {
    std::memcpy(&eight, text.data() + at, sizeof eight);
    if (!all_plain(eight)) break;
    std::memcpy(out.data() + at, &eight, sizeof eight);
  }
  for (; at < end; ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte >= kJsonEscape.size() || kJsonEscape[byte] != 0) break;
    out[at] = text[at];
  }
  return at;
}

}  // namespace

EscapedText escape_json(std::string_view text, std::span<char> out) {
  constexpr char kHex[] = "0123456789abcdef";
  EscapedText done;
  const auto put = [&](const char* bytes, std::size_t size) {
    if (out.size() - done.written < size) return false;
    std::memcpy(out.data() + done.written, bytes, size);
    done.written += size;
    return true;
  };
  while (done.consumed < text.size()) {
    const std::size_t plain = copy_plain(text.substr(done.consumed), out.subspan(done.written));
    done.consumed += plain;
    done.written += plain;
    if (done.consumed == text.size()) break;
    const auto byte = static_cast<unsigned char>(text[done.consumed]);
    if (byte < 0x80) {
      const char escape = kJsonEscape[byte];
      if (escape == 0) break;  // no room
      if (escape == 'u') {
        const char sequence[] = {'\\', 'u', '0', '0', kHex[byte >> 4U], kHex[byte & 0xFU]};
        if (!put(sequence, sizeof sequence)) break;
      } else {
        const char sequence[] = {'\\', escape};
        if (!put(sequence, sizeof sequence)) break;
      }
      ++done.consumed;
      continue;
    }
    const CodePoint point = decode_utf8(text.substr(done.consumed));
    bool fits = false;
    if (!point.valid) {
      fits = put(kReplacementUtf8.data(), kReplacementUtf8.size());
    } else if (parts_lines(point.value)) {
      const auto digit = [&](unsigned shift) { return kHex[(point.value >> shift) & 0xFU]; };
      const char sequence[] = {'\\', 'u', digit(12), digit(8), digit(4), digit(0)};
      fits = put(sequence, sizeof sequence);
    } else {
      fits = put(text.data() + done.consumed, point.size);
    }
    if (!fits) break;
    done.consumed += point.size;
  }
  return done;
}

}  // namespace oomtrace
