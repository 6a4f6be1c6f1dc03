// SPDX-License-Identifier: Apache-2.0
// Undoes the transfer encoding of mail.
#include "kernel_log/quoted_printable.h"

#include <initializer_list>

#include "kernel_log/needle_search.h"
#include "kernel_log/scan.h"

namespace oomtrace::kernel_log {
namespace {

constexpr std::size_t kMaxLine = 16 * 1024;
constexpr std::size_t kMailLine = 76;  // no encoded line is longer

bool contains_any(std::string_view s, std::initializer_list<std::string_view> words) {
  for (const auto word : words) {
    if (contains(s, word)) return true;
  }
  return false;
}

bool is_upper_hex(char c) { return is_digit(c) || (c >= 'A' && c <= 'F'); }

void append_decoded(std::string_view s, std::string& out) {
  while (!s.empty()) {
    if (s.front() == '=' && s.size() >= 3 && is_upper_hex(s[1]) && is_upper_hex(s[2])) {
      std::string_view digits = s.substr(1, 2);
      out += static_cast<char>(take_hex(digits).value_or('?'));
      s.remove_prefix(3);
    } else {
      out += s.front();
      s.remove_prefix(1);
    }
  }
}

}  // namespace

std::string_view QuotedPrintable::decode(std::string_view line) {
  const bool encoded = contains(line, "=3D");
  if (encoded && contains_any(line, {"gfp_mask=3D", "order=3D", "constraint=3D", "swap =3D", "swap  =3D", "cpuset=3D"}))
    on_ = true;
  if (on_ && !encoded && contains_any(line, {"gfp_mask=0x", "oom-kill:constraint=C"})) on_ = false;
  const std::string_view text = trim_back(line);
  // A mail's line is broken behind a lone "=". Before any other sign only a line of a kill is believed to be one.
  const bool broken = text.ends_with('=') && text.size() <= kMailLine + 1 &&
                      (on_ || (text.size() + 8 > kMailLine && find_needle(text, 0) != text.npos));
  if (!on_ && !waits_ && !broken) return line;
  if (waits_) {
    line_.swap(held_);
  } else {
    line_.clear();
  }
  waits_ = broken && line_.size() < kMaxLine;
  append_decoded(waits_ ? text.substr(0, text.size() - 1) : line, line_);
  if (!waits_) return line_;
  held_.swap(line_);
  return {};
}

}  // namespace oomtrace::kernel_log
