// SPDX-License-Identifier: Apache-2.0
// What the domain's ledger and the machine's counters say to detectors.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "analysis/causes/cause.h"

namespace oomtrace::analysis {

// The sum of the ledger's lines of these names; nullopt where it has none of them.
std::optional<std::int64_t> ledger_bytes(const Domain& domain, std::initializer_list<std::string_view> names);

// Whether the ledger is of the kill itself (a kernel log's figures) rather than of a sample before it.
bool ledger_is_of_the_kill(const IncidentContext& incident);

// A victim of an earlier kill in the same domain whose memory may not have come back yet: pages that are unmapped stay
// charged until they are freed, and no counter names them.
struct Returning {
  const model::Kill* kill = nullptr;
  const model::Incident* incident = nullptr;  // that kill's
  std::uint64_t before_ns = 0;                // from that kill to this one
  std::int64_t bytes = 0;                     // what it held
};
// The last one; nullopt where there is none.
std::optional<Returning> returning_memory(const IncidentContext& incident);

// The machine's memory as last sampled before the kill; nullptr where it was not.
const SystemMemory* machine_at_kill(const IncidentContext& incident);
// When what the domain's ledger says of the machine was told, at the kill at the latest; 0 where it was not told.
std::uint64_t machine_told_ns(const IncidentContext& incident);

}  // namespace oomtrace::analysis
