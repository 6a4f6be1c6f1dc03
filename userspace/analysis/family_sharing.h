// SPDX-License-Identifier: Apache-2.0
// How much of a process's memory its forked family still maps: killing it alone frees that much less.
#pragma once

#include <cstdint>

#include "analysis/context.h"

namespace oomtrace::analysis {

struct FamilySharing {
  std::int64_t with_children_bytes = 0;  // anonymous memory that a living forked child maps too
  std::int64_t with_parent_bytes = 0;    // that the parent it was forked from maps too
  std::int64_t with_others_bytes = 0;    // that a sibling, or one further up or beside, maps too: parents may be dead
  std::int64_t bytes() const;            // at least so much is shared: the largest of these
};

// By lineage and copies seen: what a child inherited at fork less what it, those in between and the other one copied
// since. A lower bound; 0 where the fork was not seen. Memory is charged once for all that share it, but each has it in
// its rss (mm/memory.c, copy_present_ptes), and so in its points.
FamilySharing sharing_at(const Context& context, const model::Process& process, std::uint64_t at_ns,
                         std::uint32_t page_size);

}  // namespace oomtrace::analysis
