// SPDX-License-Identifier: Apache-2.0
// The machine itself shrank: its hypervisor took memory back while the run went on. Counters of virtio and VMware
// balloons stand in /proc/vmstat; MemTotal falls with virtio, Xen and newer Hyper-V drivers and with virtio-mem.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/causes/growers.h"
#include "analysis/causes/ledger.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr double kOfMachine = 0.03;  // that must have gone

}  // namespace

std::optional<Cause> detect_memory_ballooning(const model::World& world, const IncidentContext& incident) {
  if (!incident.report.growth) return std::nullopt;
  if (incident.seen.decision.domain != DomainKind::kGlobal) return std::nullopt;
  const SystemMemory* now = machine_at_kill(incident);
  if (!now || !now->total) return std::nullopt;
  std::uint64_t largest = *now->total;
  std::optional<std::uint64_t> least_balloon = now->balloon;
  for (const auto& point : world.boots()[boot_of(world, incident.seen)].memory.points()) {
    if (point.from_ns > incident.seen.boot_ns) break;
    const SystemMemory& memory = point.sample.memory;
    if (memory.total) largest = std::max(largest, *memory.total);
    if (memory.balloon && least_balloon) least_balloon = std::min(*least_balloon, *memory.balloon);
  }
  const double shrunk = static_cast<double>(largest - *now->total);
  const double inflated =
      now->balloon && least_balloon ? static_cast<double>(*now->balloon) - static_cast<double>(*least_balloon) : 0;
  // With virtio both move; they are the same memory.
  const double taken = std::max(shrunk, inflated);
  if (taken < kOfMachine * static_cast<double>(largest)) return std::nullopt;
  const double grown = incident.report.growth ? static_cast<double>(incident.report.growth->grown_bytes) : 0;

  Cause cause;
  cause.kind = "memory_ballooning";
  cause.confidence = std::clamp(0.5 + 0.4 * taken / (taken + grown + 1), 0.0, 0.95);
  cause.summary =
      fmt::format("The machine shrank by {} of {} while it was watched; processes grew by {}.", bytes_text(taken),
                  bytes_text(std::min(largest, std::uint64_t{1} << 60)), bytes_text(grown));
  cause.evidence = {
      {"MemTotal fell by", shrunk, "bytes", "/proc/meminfo"},
      {"the balloon grew by", inflated, "bytes", "/proc/vmstat"},
      {"MemTotal at the kill", static_cast<double>(*now->total), "bytes", "/proc/meminfo"},
      {"grown by processes", grown, "bytes", "process.memory"},
  };
  return cause;
}

}  // namespace oomtrace::analysis
