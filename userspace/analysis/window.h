// SPDX-License-Identifier: Apache-2.0
// The stretch of time that led to a kill, found from what the domain's processes held.
#pragma once

#include "analysis/charged.h"
#include "analysis/context.h"
#include "analysis/domain_members.h"

namespace oomtrace::analysis {

// From the last calm moment to the kill. Going back from the kill one hundredth of the end's level at a time (levels of
// peaks, see envelope.h), the window reaches over the levels that were climbed at a like pace by the same ones. It ends
// before a level that took far longer than the others (calm); where another program, or a trainer instead of its
// workers, had climbed the levels before (an earlier phase, such as loading); and, once a fifth of the level is
// covered, before a stretch climbed far quicker (a program's start). Where nothing of the kind is found it begins with
// the trace.
Window find_window(const Context& context, const model::Incident& incident, const DomainMembers& members,
                   std::uint32_t page_size);
// The same, by a look at nothing before `since_ns`; nullopt where what was before might change it. 0 is all of the
// trace.
std::optional<Window> find_window_since(const Context& context, const model::Incident& incident,
                                        const DomainMembers& members, std::uint32_t page_size, std::uint64_t since_ns);

}  // namespace oomtrace::analysis
