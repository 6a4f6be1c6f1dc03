// SPDX-License-Identifier: Apache-2.0
// What the domain's ledger and the machine's counters say to detectors.
#include "analysis/causes/ledger.h"

#include <algorithm>

namespace oomtrace::analysis {

std::optional<std::int64_t> ledger_bytes(const Domain& domain, std::initializer_list<std::string_view> names) {
  std::optional<std::int64_t> sum;
  for (const LedgerLine& line : domain.ledger) {
    if (std::find(names.begin(), names.end(), line.what) == names.end()) continue;
    sum = sum.value_or(0) + std::clamp<std::int64_t>(line.bytes, 0, std::int64_t{1} << 56);
  }
  return sum;
}

bool ledger_is_of_the_kill(const IncidentContext& incident) {
  return std::any_of(incident.seen.cgroups.begin(), incident.seen.cgroups.end(), [&](const model::CgroupAtKill& told) {
    return incident.report.domain.cgroup == told.cgroup.path && told.sample.anon;
  });
}

const SystemMemory* machine_at_kill(const IncidentContext& incident) {
  const model::World& world = incident.context.world;
  const auto& memory = world.boots()[boot_of(world, incident.seen)].memory;
  const auto* point = memory.at(incident.seen.boot_ns);
  return point ? &point->sample.memory : nullptr;
}

}  // namespace oomtrace::analysis
