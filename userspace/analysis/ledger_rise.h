// SPDX-License-Identifier: Apache-2.0
// What filled a domain between two moments, by its own counters.
#pragma once

#include <optional>

#include "analysis/charged.h"
#include "analysis/context.h"
#include "oomtrace/report.h"

namespace oomtrace::analysis {

// From the window's start to the kill. nullopt where the domain's counters were not told near both ends.
std::optional<ChargedRise> ledger_rise(const model::World& world, const model::Incident& incident,
                                       const Window& window);

}  // namespace oomtrace::analysis
