// SPDX-License-Identifier: Apache-2.0
// What filled a domain between two moments, by its own counters.
#pragma once

#include <optional>

#include "analysis/charged.h"
#include "analysis/context.h"
#include "analysis/domain_members.h"
#include "oomtrace/report.h"

namespace oomtrace::analysis {

// From the window's start to the kill. nullopt where the domain's counters were not told near both ends. Between two
// samples of them anonymous memory is taken to have moved as that of the domain's processes did. page_size: as
// charged_in() has it.
std::optional<ChargedRise> ledger_rise(const Context& context, const model::Incident& incident,
                                       const DomainMembers& members, const Window& window, std::uint32_t page_size);

}  // namespace oomtrace::analysis
