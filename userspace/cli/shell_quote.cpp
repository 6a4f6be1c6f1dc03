// SPDX-License-Identifier: Apache-2.0
// Single quotes, and what to do with a single quote.
#include "cli/shell_quote.h"

#include <cctype>
#include <cstring>

namespace oomtrace::cli {

std::string shell_quote(const std::string& word) {
  bool plain = !word.empty();
  for (const char c : word)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && std::strchr("_-./=:,+@%", c) == nullptr) plain = false;
  if (plain) return word;
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'')
      quoted += "'\\''";
    else
      quoted.push_back(c);
  }
  return quoted + "'";
}

std::string shell_quote(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line.push_back(' ');
    line += shell_quote(word);
  }
  return line;
}

}  // namespace oomtrace::cli
