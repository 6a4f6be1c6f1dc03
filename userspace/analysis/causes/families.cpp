// SPDX-License-Identifier: Apache-2.0
// Growth by family: what detectors ask of jobs and of who was alive at the kill.
#include "analysis/causes/families.h"

#include <algorithm>

namespace oomtrace::analysis {

std::vector<Grower> growers(const IncidentContext& incident) {
  std::vector<Grower> found;
  if (!incident.report.growth) return found;
  const model::World& world = incident.context.world;
  const std::size_t boot = boot_of(world, incident.seen);
  std::map<std::uint32_t, const model::Process*> alive;
  for (const auto& [id, process] : world.processes()) {
    if (process.boot != boot || process.first_seen_ns > incident.seen.boot_ns) continue;
    if (process.alive_at(incident.seen.boot_ns)) alive[process.pid] = &process;
  }
  for (const ProcessGrowth& growth : incident.report.growth->processes) {
    const auto process = alive.find(growth.pid);
    if (process != alive.end()) found.push_back({&growth, process->second});
  }
  return found;
}

std::map<model::ProcessId, FamilyGrowth> grow_by_family(const IncidentContext& incident) {
  std::map<model::ProcessId, FamilyGrowth> families;
  for (const Grower& grower : growers(incident)) {
    FamilyGrowth& family = families[incident.context.jobs.root_of(grower.process->id)];
    family.share += grower.growth->share;
    family.grown_bytes += std::max<std::int64_t>(0, grower.growth->grown_bytes);
    if (!family.top) family.top = grower.process;  // rows come largest first
  }
  return families;
}

std::int64_t telling_growth(const IncidentContext& incident) {
  constexpr std::int64_t kLeast = 8 << 20;
  std::uint64_t size = incident.report.domain.limit_bytes.value_or(0);
  const model::HostFacts& host = host_of(incident.context.world, incident.seen);
  if (size == 0) size = host.mem_total.value_or(0);
  return std::max(kLeast, static_cast<std::int64_t>(std::min(size / 100, std::uint64_t{1} << 50)));
}

const model::Process* chosen_victim(const IncidentContext& incident) {
  const model::Kill* chosen = chosen_kill(incident.seen);
  return chosen ? incident.context.world.find(chosen->victim.id) : nullptr;
}

}  // namespace oomtrace::analysis
