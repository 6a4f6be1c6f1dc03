// SPDX-License-Identifier: Apache-2.0
// Where memory ran out and what it was full of; the machine around it.
#pragma once

#include <cstdint>

#include "analysis/context.h"
#include "oomtrace/report.h"

namespace oomtrace::analysis {

// The recorder reads the cgroups and the machine, then the census of processes, which a busy machine delays.
inline constexpr std::uint64_t kCensusFollowsNs = 200'000'000;

Domain describe_domain(const model::World& world, const model::Incident& incident);
// Whether somebody asked for the kill (SysRq f) of a machine that had memory to give: then no growth led to it.
bool asked_for_with_room(const model::World& world, const model::Incident& incident);

// At most 2^58: sums and differences of such figures stay in range, whatever a trace claims.
std::int64_t bounded_bytes(std::uint64_t bytes);
// The ledger of a memcg or of the machine by its counters at any time: fills ledger, residue_bytes and, where it is not
// there yet, usage_bytes.
void fill_ledger(const model::CgroupSample& sample, Domain& domain);
void fill_ledger(const SystemMemory& memory, std::optional<std::uint64_t> total_bytes, Domain& domain);

SystemState describe_system(const model::World& world, const model::Incident& incident);

}  // namespace oomtrace::analysis
