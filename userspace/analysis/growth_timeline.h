// SPDX-License-Identifier: Apache-2.0
// What each role held over the window.
#pragma once

#include "analysis/charged.h"
#include "analysis/context.h"
#include "analysis/domain_members.h"
#include "oomtrace/report.h"

namespace oomtrace::analysis {

// Memory of the processes' own (anonymous, copied, swapped; shared memory is nobody's alone) at even moments from the
// window's start to its end; roles by what they hold at the end, largest first. nullopt for a window without length.
std::optional<GrowthTimeline> growth_timeline(const Context& context, const DomainMembers& members,
                                              const Window& window, std::uint32_t page_size);

}  // namespace oomtrace::analysis
