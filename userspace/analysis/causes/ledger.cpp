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

std::optional<Returning> returning_memory(const IncidentContext& incident) {
  // Freeing gigabytes page by page takes a second; the reaper gives up after one (mm/oom_kill.c, MAX_OOM_REAP_RETRIES).
  constexpr std::uint64_t kReturns = 2'000'000'000;
  const model::World& world = incident.context.world;
  const model::Incident& now = incident.seen;
  const bool memcg = now.decision.domain == DomainKind::kMemcg;
  std::optional<Returning> last;
  for (const auto& [earlier, kill] :
       incident.context.incidents.kills_before(boot_of(world, now), now.boot_ns, kReturns)) {
    if (earlier->decision.domain != now.decision.domain) continue;
    if (memcg && (earlier->decision.cgroup.id != now.decision.cgroup.id ||
                  earlier->decision.cgroup.path != now.decision.cgroup.path)) {
      continue;
    }
    if (kill->boot_ns >= now.boot_ns || !kill->memory) continue;
    if (kill->reaped && kill->reaped_ns <= now.boot_ns) continue;
    if (last && last->kill->boot_ns >= kill->boot_ns) continue;
    const MemoryCounters& held = *kill->memory;
    std::int64_t bytes = 0;
    for (const std::int64_t part : {held.anon, held.file, held.shmem})
      bytes += std::clamp<std::int64_t>(part, 0, std::int64_t{1} << 56);
    last = Returning{kill, earlier, now.boot_ns - kill->boot_ns, bytes};
  }
  return last;
}

const SystemMemory* machine_at_kill(const IncidentContext& incident) {
  const model::World& world = incident.context.world;
  const auto& memory = world.boots()[boot_of(world, incident.seen)].memory;
  const auto* point = memory.at(incident.seen.boot_ns);
  return point ? &point->sample.memory : nullptr;
}

std::uint64_t machine_told_ns(const IncidentContext& incident) {
  if (incident.seen.memory) return incident.seen.boot_ns;
  const model::World& world = incident.context.world;
  const auto* point = world.boots()[boot_of(world, incident.seen)].memory.at(incident.seen.boot_ns);
  return point ? std::min(point->until_ns, incident.seen.boot_ns) : 0;
}

}  // namespace oomtrace::analysis
