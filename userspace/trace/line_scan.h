// SPDX-License-Identifier: Apache-2.0
// What the line sources agree on about lines.
#pragma once

#include <string_view>

namespace oomtrace::trace {

// Without a carriage return and blanks at its ends; empty for a line to skip.
inline std::string_view trimmed(std::string_view line) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t first = line.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(kBlank) - first + 1);
}

// Whether a last line that has no newline may still be a whole object; the decoder has the last word.
inline bool may_be_whole(std::string_view line) { return !line.empty() && line.front() == '{' && line.back() == '}'; }

}  // namespace oomtrace::trace
