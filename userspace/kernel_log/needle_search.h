// SPDX-License-Identifier: Apache-2.0
// Finds the next place in a log that may matter, much faster than lines can be read: Wu and Manber's search for several
// words at once, which skips ahead by most of a word at a time.
#pragma once

#include <cstddef>
#include <string_view>

namespace oomtrace::kernel_log {

// Position of the first of the words that every line of interest has at least one of; npos if there is none. Lines that
// only continue such a line (Mem-Info, frames, table rows) need not have one.
std::size_t find_needle(std::string_view text, std::size_t from);

}  // namespace oomtrace::kernel_log
