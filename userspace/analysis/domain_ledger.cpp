// SPDX-License-Identifier: Apache-2.0
// Where memory ran out and what it was full of; the machine around it.
#include "analysis/domain_ledger.h"

#include <algorithm>

#include "analysis/cgroup_ledger.h"
#include "analysis/domain_members.h"

namespace oomtrace::analysis {
namespace {

using Bytes = std::optional<std::uint64_t>;

constexpr std::uint64_t kMost = std::uint64_t{1} << 58;

void add(std::vector<LedgerLine>& ledger, const char* what, const Bytes& bytes, std::uint64_t less = 0) {
  if (!bytes) return;
  ledger.push_back({what, bounded_bytes(*bytes > less ? *bytes - less : 0)});
}

std::int64_t sum_of(const std::vector<LedgerLine>& ledger) {
  std::int64_t sum = 0;
  for (const LedgerLine& line : ledger) sum += line.bytes;
  return sum;
}

// The point in force at a kill. Logs tell the figures with the kill or right after it.
template <class Sample>
const typename model::Timeline<Sample>::Point* near(const model::Timeline<Sample>& memory, std::uint64_t at_ns) {
  constexpr std::uint64_t kAfter = 5'000'000'000;
  if (const auto* point = memory.at(at_ns)) return point;
  if (memory.empty() || memory.points().front().from_ns > at_ns + kAfter) return nullptr;
  return &memory.points().front();
}

// What a recorder samples after a kill lacks what the victim held; what a log tells soon after it is of it.
template <class Sample>
const typename model::Timeline<Sample>::Point* told_before(const model::World& world, const model::Incident& incident,
                                                           const model::Timeline<Sample>& memory) {
  const bool log = host_of(world, incident).source == "kernel_log";
  return log ? near(memory, incident.boot_ns) : memory.at(incident.boot_ns);
}

// What the kernel's log printed with the kill: no sample is as close.
const model::CgroupSample* at_the_kill(const model::Incident& incident, const std::string& path) {
  for (const model::CgroupAtKill& told : incident.cgroups)
    if (told.cgroup.path == path && told.sample.anon) return &told.sample;
  return nullptr;
}

// The machine's memory: what was told with the kill, or the point in force then.
const SystemMemory* system_at(const model::World& world, const model::Incident& incident) {
  if (incident.memory) return &*incident.memory;
  const auto* point = near(world.boots()[boot_of(world, incident)].memory, incident.boot_ns);
  return point ? &point->sample.memory : nullptr;
}

std::vector<LedgerLine> meminfo_ledger(const SystemMemory& memory) {
  std::vector<LedgerLine> ledger;
  add(ledger, "anonymous", memory.anon);
  add(ledger, "shared memory and tmpfs", memory.shmem);
  // Cached counts shmem and the swap cache has pages that are anonymous too.
  Bytes cache = memory.cached;
  if (cache && memory.buffers) cache = std::min(*cache, kMost) + std::min(*memory.buffers, kMost);
  add(ledger, "page cache", cache, memory.shmem.value_or(0));
  add(ledger, "slab, reclaimable", memory.slab_reclaimable);
  add(ledger, "slab, not reclaimable", memory.slab_unreclaimable);
  add(ledger, "kernel stacks", memory.kernel_stack);
  add(ledger, "page tables", memory.page_tables);
  add(ledger, "per-CPU", memory.percpu);
  add(ledger, "huge pages", memory.hugetlb);
  add(ledger, "free", memory.free);
  return ledger;
}

const char* domain_word(DomainKind kind) {
  switch (kind) {
    case DomainKind::kUnknown:
      break;
    case DomainKind::kGlobal:
      return "global";
    case DomainKind::kMemcg:
      return "memcg";
    case DomainKind::kCpuset:
      return "cpuset";
    case DomainKind::kMempolicy:
      return "mempolicy";
    case DomainKind::kSysrq:
      return "sysrq";
  }
  return "unknown";
}

}  // namespace

std::int64_t bounded_bytes(std::uint64_t bytes) { return static_cast<std::int64_t>(std::min(bytes, kMost)); }

// memory.stat: `file` holds shmem as well, in both versions.
void fill_ledger(const model::CgroupSample& sample, Domain& domain) {
  add(domain.ledger, "anonymous", sample.anon);
  add(domain.ledger, "shared memory and tmpfs", sample.shmem);
  add(domain.ledger, "page cache", sample.file, sample.shmem.value_or(0));
  add(domain.ledger, "slab", sample.slab);
  add(domain.ledger, "page tables", sample.page_tables);
  // `kernel` holds both, and stacks, per-CPU and vmalloc memory. Version 1 tells it alone.
  const bool parted = sample.slab || sample.page_tables;
  const std::uint64_t parts =
      std::min(sample.slab.value_or(0), kMost) + std::min(sample.page_tables.value_or(0), kMost);
  add(domain.ledger, parted ? "kernel, else" : "kernel", sample.kernel, parts);
  if (!domain.usage_bytes) domain.usage_bytes = sample.usage;
  if (!domain.ledger_bytes) domain.ledger_bytes = sample.usage;
  if (domain.ledger_bytes && sample.anon && sample.file)
    domain.residue_bytes = bounded_bytes(*domain.ledger_bytes) - sum_of(domain.ledger);
}

void fill_ledger(const SystemMemory& memory, std::optional<std::uint64_t> total_bytes, Domain& domain) {
  domain.ledger = meminfo_ledger(memory);
  const bool whole = memory.free && memory.anon && memory.cached;
  if (total_bytes && whole) domain.residue_bytes = bounded_bytes(*total_bytes) - sum_of(domain.ledger);
  if (!domain.usage_bytes && total_bytes && memory.free && *total_bytes > *memory.free)
    domain.usage_bytes = *total_bytes - *memory.free;
}

namespace {

Domain without_cgroups(const model::World& world, const model::Incident& incident) {
  const model::Decision& decision = incident.decision;
  Domain domain;
  domain.kind = domain_word(decision.domain);
  if (!decision.constraint.empty()) domain.constraint = decision.constraint;
  if (!decision.nodes.empty()) domain.nodes = decision.nodes;
  domain.limit_bytes = decision.limit;
  domain.usage_bytes = decision.usage;
  domain.swap_limit_bytes = decision.swap_limit;
  const std::size_t boot = boot_of(world, incident);
  if (decision.domain == DomainKind::kMemcg) {
    const std::string path = world.path_of(boot, decision.cgroup);
    if (!path.empty()) domain.cgroup = path;
    const model::CgroupSample* sample = at_the_kill(incident, path);
    if (sample != nullptr) {
      domain.ledger_bytes = domain.usage_bytes;
    } else {
      const model::Cgroup* cgroup = domain_cgroup(world, incident);
      const auto* point = cgroup ? told_before(world, incident, cgroup->memory) : nullptr;
      if (!point) return domain;
      sample = &point->sample;
      if (point->until_ns < incident.boot_ns) domain.ledger_age_ns = incident.boot_ns - point->until_ns;
    }
    if (!domain.limit_bytes) domain.limit_bytes = sample->limit;
    if (!domain.swap_limit_bytes) domain.swap_limit_bytes = sample->swap_limit;
    fill_ledger(*sample, domain);
    return domain;
  }
  if (decision.domain != DomainKind::kGlobal && decision.domain != DomainKind::kSysrq) return domain;
  if (const SystemMemory* told = system_at(world, incident))
    fill_ledger(*told, told->total ? told->total : host_of(world, incident).mem_total, domain);
  return domain;
}

}  // namespace

Domain describe_domain(const model::World& world, const model::Incident& incident) {
  Domain domain = without_cgroups(world, incident);
  fill_cgroups(world, incident, domain);
  return domain;
}

bool asked_for_with_room(const model::World& world, const model::Incident& incident) {
  constexpr std::uint64_t kShort = 5;  // a fifth of the machine's memory
  if (incident.decision.domain != DomainKind::kSysrq) return false;
  const SystemMemory* memory = system_at(world, incident);
  const Bytes total = memory && memory->total ? memory->total : host_of(world, incident).mem_total;
  return memory && memory->available && total && *memory->available > *total / kShort;
}

SystemState describe_system(const model::World& world, const model::Incident& incident) {
  SystemState system;
  const model::HostFacts& host = host_of(world, incident);
  const model::Boot& boot = world.boots()[boot_of(world, incident)];
  system.overcommit.mode = host.overcommit_memory;
  system.overcommit.ratio = host.overcommit_ratio;
  if (const SystemMemory* told = system_at(world, incident)) {
    const SystemMemory& memory = *told;
    system.overcommit.limit_bytes = memory.commit_limit;
    system.overcommit.committed_bytes = memory.committed;
    if (memory.balloon) system.balloon_bytes = bounded_bytes(*memory.balloon);
    add(system.memory, "total", memory.total);
    add(system.memory, "available", memory.available);
    for (LedgerLine& line : meminfo_ledger(memory)) system.memory.push_back(std::move(line));
    add(system.memory, "swap, total", memory.swap_total);
    add(system.memory, "swap, free", memory.swap_free);
    add(system.memory, "dirty", memory.dirty);
    add(system.memory, "locked", memory.mlocked);
  }
  const auto pressure = boot.pressure.find("memory");
  if (pressure != boot.pressure.end()) {
    if (const auto* point = near(pressure->second, incident.boot_ns)) {
      if (point->sample.some) system.psi_memory_some_avg10 = point->sample.some->avg10;
      if (point->sample.full) system.psi_memory_full_avg10 = point->sample.full->avg10;
    }
  }
  return system;
}

}  // namespace oomtrace::analysis
