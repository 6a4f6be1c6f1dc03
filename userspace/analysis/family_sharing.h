// SPDX-License-Identifier: Apache-2.0
// How much of a process's memory its forked children or its parent still map: killing it alone frees that much less.
#pragma once

#include <cstdint>

#include "analysis/context.h"

namespace oomtrace::analysis {

struct FamilySharing {
  std::int64_t with_children_bytes = 0;  // anonymous memory that a living forked child maps too
  std::int64_t with_parent_bytes = 0;    // that the parent it was forked from maps too
  std::int64_t bytes() const;            // at least so much is shared: the larger of the two
};

// By lineage and copies seen: what a child inherited at fork less what it and its parent copied since. A lower bound;
// 0 where the fork was not seen. Memory is charged once for all that share it, but each has it in its rss
// (mm/memory.c, copy_present_ptes), and so in its points.
FamilySharing sharing_at(const model::World& world, const model::Process& process, std::uint64_t at_ns,
                         std::uint32_t page_size);

}  // namespace oomtrace::analysis
