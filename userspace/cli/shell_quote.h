// SPDX-License-Identifier: Apache-2.0
// Words as a POSIX shell would take them, for people to copy.
#pragma once

#include <string>
#include <vector>

namespace oomtrace::cli {

// Bare where that is safe, else in single quotes. Control characters stay: whoever prints escapes them.
std::string shell_quote(const std::string& word);
std::string shell_quote(const std::vector<std::string>& words);

}  // namespace oomtrace::cli
