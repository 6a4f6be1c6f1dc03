// SPDX-License-Identifier: Apache-2.0
// Undoes what terminals, mail programs and web pages do to a line.
#include "kernel_log/clean_line.h"

#include <algorithm>
#include <array>
#include <utility>

#include "kernel_log/scan.h"

namespace oomtrace::kernel_log {
namespace {

constexpr auto kSuspect = [] {
  std::array<bool, 256> table{};
  for (int c = 0; c < 32; ++c) table[static_cast<std::size_t>(c)] = c != '\t';
  for (const int c : {0x7f, 0xc2, 0xe2, 0xef, int{'&'}, int{'\\'}, int{'<'}}) table[static_cast<std::size_t>(c)] = true;
  return table;
}();

constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kEntities{{{"&gt;", ">"},
                                                                                  {"&lt;", "<"},
                                                                                  {"&amp;", "&"},
                                                                                  {"&quot;", "\""},
                                                                                  {"&nbsp;", " "},
                                                                                  {"&#39;", "'"},
                                                                                  {"&#x27;", "'"},
                                                                                  {"&#34;", "\""}}};
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kUnicode{
    {{"\xc2\xa0", " "}, {"\xe2\x80\xaf", " "}, {"\xe2\x80\x87", " "}, {"\xe2\x80\x8b", ""}, {"\xef\xbb\xbf", ""}}};

// Markup of a web page around a line: "<br>", "</span>", "<span class=x>". The kernel's own "<TASK>", "<4>" and
// "<ffffffff81000000>" are none of these.
bool skip_markup(std::string_view& s) {
  static constexpr std::array<std::string_view, 9> kNames{"br", "span", "code", "pre", "p", "div", "td", "tr", "li"};
  std::string_view t = s.substr(1);
  take(t, '/');
  std::size_t n = 0;
  while (n < t.size() && t[n] >= 'a' && t[n] <= 'z') ++n;
  if (std::find(kNames.begin(), kNames.end(), t.substr(0, n)) == kNames.end()) return false;
  t.remove_prefix(n);
  const auto close = t.find('>');
  if (close == t.npos || close > 200 || (close > 0 && t.front() != ' ' && t.front() != '/')) return false;
  s = t.substr(close + 1);
  return true;
}

template <std::size_t N>
bool replace(std::string_view& s, std::string& out,
             const std::array<std::pair<std::string_view, std::string_view>, N>& by) {
  for (const auto& [from, to] : by) {
    if (take(s, from)) {
      out += to;
      return true;
    }
  }
  return false;
}

// ECMA-48: CSI sequences end with a byte of 0x40 to 0x7e, OSC strings with BEL or ESC backslash.
void skip_escape(std::string_view& s) {
  s.remove_prefix(1);
  if (take(s, '[')) {
    while (!s.empty() && (s.front() < 0x40 || s.front() == 0x7f)) s.remove_prefix(1);
    if (!s.empty()) s.remove_prefix(1);
  } else if (take(s, ']')) {
    while (!s.empty() && s.front() != '\a' && s.front() != '\x1b') s.remove_prefix(1);
    if (!s.empty()) s.remove_prefix(1);
  }
}

}  // namespace

std::string_view clean_line(std::string_view raw, std::string& scratch) {
  while (!raw.empty() && (raw.back() == '\r' || raw.back() == '\n')) raw.remove_suffix(1);
  bool suspect = false;
  for (const char c : raw) suspect |= kSuspect[static_cast<unsigned char>(c)];
  if (!suspect) return raw;

  scratch.clear();
  for (std::string_view s = raw; !s.empty();) {
    const char c = s.front();
    if (!kSuspect[static_cast<unsigned char>(c)]) {
      scratch += c;
      s.remove_prefix(1);
    } else if (c == '\x1b') {
      skip_escape(s);
    } else if (c == '<') {
      if (!skip_markup(s)) scratch += c, s.remove_prefix(1);
    } else if (c == '&') {
      if (!replace(s, scratch, kEntities)) scratch += c, s.remove_prefix(1);
    } else if (c == '\\' && s.size() > 1 && std::string_view("_*[]|~<>").find(s[1]) != std::string_view::npos) {
      s.remove_prefix(1);
    } else if (static_cast<unsigned char>(c) < 32 || c == 0x7f) {
      s.remove_prefix(1);
    } else if (!replace(s, scratch, kUnicode)) {
      scratch += c;
      s.remove_prefix(1);
    }
  }
  return scratch;
}

std::string unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    if (text.size() >= 4 && text[0] == '\\' && text[1] == 'x' && is_hex(text[2]) && is_hex(text[3])) {
      std::string_view digits = text.substr(2, 2);
      out += static_cast<char>(take_hex(digits).value_or('?'));
      text.remove_prefix(4);
    } else if (text.size() >= 4 && text[0] == '#' && text[1] == '0' && text[2] >= '0' && text[2] <= '3' &&
               text[3] >= '0' && text[3] <= '7') {
      out += static_cast<char>((text[2] - '0') * 8 + (text[3] - '0'));
      text.remove_prefix(4);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace oomtrace::kernel_log
