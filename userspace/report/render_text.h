// SPDX-License-Identifier: Apache-2.0
// A Report for people at a terminal.
#pragma once

#include <cstddef>
#include <string>

#include "oomtrace/report.h"

namespace oomtrace {

inline constexpr std::size_t kMinTextWidth = 40;

struct TextOptions {
  std::size_t width = 80;  // columns; below kMinTextWidth it counts as kMinTextWidth
  bool color = false;      // SGR sequences for bold and red; they never carry a meaning alone
  bool unicode = true;     // false: ASCII only, other characters as \uXXXX
  // Of more incidents than these a table tells all and the first few follow in full; 0: all in full.
  std::size_t most_in_full = 0;
};

// Per incident first what died, who drove the growth and why that one was chosen, then the facts behind it; without
// incidents what happened instead. No line is wider than options.width; hostile names are escaped and cut.
std::string render_text(const Report& report, const TextOptions& options);

}  // namespace oomtrace
