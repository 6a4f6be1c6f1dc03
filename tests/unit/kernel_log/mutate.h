// SPDX-License-Identifier: Apache-2.0
// Damages logs by chance, the same way for the same seed.
#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "log_files.h"

namespace oomtrace::kernel_log {

using Random = std::mt19937;

inline std::size_t below(Random& random, std::size_t n) { return n == 0 ? 0 : random() % n; }

// Cuts, swaps, repeats, drops, flips, breaks and joins some lines.
inline std::string mutate(const std::string& text, Random& random) {
  std::vector<std::string> lines = split(text, '\n');
  for (std::size_t i = 0, changes = 1 + below(random, 12); i < changes && !lines.empty(); ++i) {
    const std::size_t at = below(random, lines.size());
    std::string& line = lines[at];
    switch (random() % 9) {
      case 0:
        line.resize(below(random, line.size() + 1));
        break;
      case 1:
        line.erase(0, below(random, line.size() + 1));
        break;
      case 2:
        std::swap(line, lines[below(random, lines.size())]);
        break;
      case 3:
        lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), std::string(line));
        break;
      case 4:
        lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      case 5:
        for (int flips = 0; flips < 4 && !line.empty(); ++flips)
          line[below(random, line.size())] = static_cast<char>(random());
        break;
      case 6:
        lines.resize(at + 1);
        break;
      case 7:
        line.insert(below(random, line.size() + 1), 1, '\n');
        break;
      case 8:
        line += lines[below(random, lines.size())];
        break;
    }
  }
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

}  // namespace oomtrace::kernel_log
