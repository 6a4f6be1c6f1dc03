// SPDX-License-Identifier: Apache-2.0
// Copies held against what the domain was charged for.
#pragma once

#include <vector>

#include "analysis/domain_members.h"
#include "analysis/shared_memory.h"

namespace oomtrace::analysis {

// Write-protect faults of a page's last owner, and first writes to memory that was read before, look like copies and
// are none (docs/copies.md). Where the kernel told the cgroup's anonymous memory with the kill, all of it that rose
// since a sample of the cgroup is what the processes newly have and what they copied since: copies beyond that are
// taken off, from each in proportion. Of the sample before the window's start and the first one in it the one that
// shows more of them counts, for what moved while a sample was taken hides some. Does nothing where either figure is
// missing, where they agree within 5 %, or where copies fall short of the charge.
void settle_copies(const Context& context, const model::Incident& incident, const DomainMembers& members,
                   const Window& window, std::uint32_t page_size, std::vector<ProcessCharge>& charges);

}  // namespace oomtrace::analysis
