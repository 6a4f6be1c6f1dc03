// SPDX-License-Identifier: Apache-2.0
// Copies held against what the domain was charged for.
#pragma once

#include <vector>

#include "analysis/shared_memory.h"

namespace oomtrace::analysis {

// Write-protect faults of a page's last owner, and first writes to memory that was read before, look like copies and
// are none (docs/copies.md). Where the kernel told the cgroup's anonymous memory with the kill, and a sample stands at
// or before the window's start, all of it that rose is what the processes newly have and what they copied: copies
// beyond that are taken off, from each in proportion. Does nothing where either figure is missing, where they agree
// within 5 %, or where copies fall short of the charge.
void settle_copies(const model::World& world, const model::Incident& incident, const Window& window,
                   std::vector<ProcessCharge>& charges);

}  // namespace oomtrace::analysis
