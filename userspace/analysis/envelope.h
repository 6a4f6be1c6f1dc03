// SPDX-License-Identifier: Apache-2.0
// What processes hold from peak to peak. A trainer takes gradients and gives them back at every step; whether it grows
// shows in its peaks, and a kill comes at one.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/context.h"

namespace oomtrace::analysis {

struct Level {
  std::uint64_t at_ns = 0;
  std::int64_t bytes = 0;
};

// How far back a peak still counts, for a stretch of so many nanoseconds: a tenth of it, and a second at least.
std::uint64_t look_back_of(std::uint64_t stretch_ns);

// What a process held that it did not inherit (held_at), as its samples tell it up to a moment; 0 from its exit on. A
// process older than the trace counts from `start_ns` on.
std::vector<Level> held_levels(const Context& context, const model::Process& process, std::uint64_t start_ns,
                               std::uint64_t to_ns, std::uint32_t page_size);

// The same levels, each moment with the highest of the `look_back_ns` before it. An exit (0) is at once.
std::vector<Level> peaks_of(const std::vector<Level>& held, std::uint64_t look_back_ns);

// The level in force at a moment; 0 before the first.
std::int64_t level_at(const std::vector<Level>& levels, std::uint64_t at_ns);

// Several series added up, one entry for each moment of change.
std::vector<Level> sum_of_levels(const std::vector<std::vector<Level>>& series);

}  // namespace oomtrace::analysis
