// SPDX-License-Identifier: Apache-2.0
// Shared memory fills the domain: batches that workers hand over in /dev/shm, or files in a tmpfs. Nobody need map
// them, so killing a process frees none of it.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/causes/growers.h"
#include "analysis/causes/ledger.h"
#include "analysis/domain_members.h"
#include "analysis/growth_sums.h"
#include "base/units.h"
#include "model/role_signs.h"

namespace oomtrace::analysis {
namespace {

constexpr double kOfDomain = 0.15;        // of the domain must be shared memory
constexpr double kOfGrowth = 0.2;         // and of the growth
constexpr double kMappedAtAll = 0.1;      // of it; less is files that were written, as tmpfs takes them
constexpr double kMappedByTrainer = 0.7;  // of it: pinned memory of an accelerator, not batches

struct Filled {
  std::int64_t grown = 0;    // shmem in the window, whoever filled it
  std::int64_t mapped = 0;   // by everybody at the kill; shared pages count for each
  std::int64_t trainer = 0;  // mapped by the process with the most
  bool accelerator = false;  // and that process has one
  std::size_t workers = 0;   // alive
};

// What the domain held at the start of the window: nothing, for a cgroup that was made in it.
std::optional<std::uint64_t> held_before(const IncidentContext& incident) {
  const model::World& world = incident.context.world;
  const std::uint64_t from_ns = incident.window->from_ns;
  if (const model::Cgroup* cgroup = domain_cgroup(world, incident.seen)) {
    const auto* point = cgroup->memory.at(from_ns);
    return point ? point->sample.shmem : std::optional<std::uint64_t>(0);
  }
  if (incident.seen.decision.domain != DomainKind::kGlobal) return std::nullopt;
  const auto* point = world.boots()[boot_of(world, incident.seen)].memory.at(from_ns);
  return point ? point->sample.memory.shmem : std::nullopt;
}

Filled filled_in(const IncidentContext& incident, std::int64_t shmem_now) {
  Filled filled;
  filled.grown = sum_growth(*incident.report.growth).shmem;
  if (const auto before = held_before(incident)) {
    const auto bytes = static_cast<std::int64_t>(std::min(*before, std::uint64_t{1} << 56));
    filled.grown = std::max(filled.grown, shmem_now - bytes);
  }
  for (const Grower& grower : growers(incident)) {
    const auto* last = grower.process->memory.at(incident.seen.boot_ns);
    const std::int64_t shmem = last ? std::max<std::int64_t>(0, last->sample.counters.shmem) : 0;
    filled.mapped += std::min<std::int64_t>(shmem, std::int64_t{1} << 52);
    filled.workers += incident.context.role(grower.process->id) == model::Role::kDataloaderWorker ? 1 : 0;
    if (incident.context.role(grower.process->id) != model::Role::kTrainer || shmem <= filled.trainer) continue;
    filled.trainer = shmem;
    filled.accelerator = model::accelerator_mapping(*grower.process).has_value();
  }
  return filled;
}

}  // namespace

std::optional<Cause> detect_shm_exhaustion(const model::World&, const IncidentContext& incident) {
  if (!incident.report.growth || !incident.window || incident.report.growth->grown_bytes <= 0) return std::nullopt;
  const std::int64_t size = domain_size(incident);
  const auto shmem = ledger_bytes(incident.report.domain, {"shared memory and tmpfs"});
  if (!shmem || size <= 0) return std::nullopt;
  const double of_domain = static_cast<double>(*shmem) / static_cast<double>(size);
  const Filled filled = filled_in(incident, *shmem);
  const double of_growth =
      std::min(1.0, static_cast<double>(filled.grown) / static_cast<double>(incident.report.growth->grown_bytes));
  if (of_domain < kOfDomain || of_growth < kOfGrowth) return std::nullopt;
  const double by_trainer = static_cast<double>(filled.trainer) / static_cast<double>(*shmem);
  if (filled.accelerator && by_trainer > kMappedByTrainer) return std::nullopt;

  Cause cause;
  cause.kind = "shm_exhaustion";
  cause.confidence = std::min(0.95, 0.5 + 0.25 * of_domain + 0.25 * of_growth);
  const bool mapped = static_cast<double>(filled.mapped) >= kMappedAtAll * static_cast<double>(*shmem);
  cause.summary =
      fmt::format("Shared memory takes {}, {} of the limit; {} of the growth was filled into it{}.",
                  format_bytes(*shmem), format_percent(of_domain), format_percent(of_growth),
                  filled.workers > 0 ? " by batches of " + std::to_string(filled.workers) + " DataLoader workers"
                  : mapped           ? ""
                                     : ", hardly any of it mapped by those that grew: files in a tmpfs");
  cause.evidence = {
      {"shared memory in the domain", static_cast<double>(*shmem), "bytes", "cgroup.memory"},
      {"its share of the limit", of_domain, "ratio", "cgroup.memory"},
      {"filled in the window", static_cast<double>(filled.grown), "bytes", "cgroup.memory"},
      {"mapped by processes at the kill, shared pages for each", static_cast<double>(filled.mapped), "bytes",
       "process.memory"},
      {"DataLoader workers", static_cast<double>(filled.workers), "processes", "process.fork"},
  };
  return cause;
}

}  // namespace oomtrace::analysis
