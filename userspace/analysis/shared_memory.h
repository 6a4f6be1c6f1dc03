// SPDX-License-Identifier: Apache-2.0
// Whose growth pages are that many processes map: shmem and file pages, counted once.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "analysis/charged.h"
#include "analysis/context.h"

namespace oomtrace::analysis {

struct ProcessCharge {
  const model::Process* process = nullptr;
  Charged charged;
};

// What the domain's own counters of a kind grew by in the window; nullopt where no sample stands near its ends.
struct DomainRise {
  std::optional<std::int64_t> shmem, file;
};
DomainRise domain_rise(const model::World& world, const model::Incident& incident, const Window& window);

// Bytes of shmem for each charge, in the same order. A batch that a worker fills and its trainer maps raises the
// counters of both: within a family, who filled first has it, and the others only what they added beyond that. The sum
// is the domain's own rise where that is known: less is scaled up among training processes, because a batch that is
// mapped by nobody at the moment still counts.
std::vector<std::int64_t> share_shmem(const Context& context, const std::vector<ProcessCharge>& charges,
                                      std::optional<std::int64_t> rise);

// The same for file pages, which the whole machine shares: never more than the domain's page cache rose by, and than
// the largest single rise where that is not known.
std::vector<std::int64_t> share_file(const std::vector<ProcessCharge>& charges, std::optional<std::int64_t> rise);

}  // namespace oomtrace::analysis
