// SPDX-License-Identifier: Apache-2.0
// The allocation was bound to nodes (cpuset, mempolicy) that were full, while others had room.
#include <fmt/format.h>

#include "analysis/causes/growers.h"
#include "analysis/causes/ledger.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr double kRoom = 0.03;  // of the machine's memory that was free

}  // namespace

std::optional<Cause> detect_numa_node_exhausted(const model::World& world, const IncidentContext& incident) {
  if (!incident.report.growth) return std::nullopt;
  const DomainKind kind = incident.seen.decision.domain;
  if (kind != DomainKind::kCpuset && kind != DomainKind::kMempolicy) return std::nullopt;
  const model::HostFacts& host = host_of(world, incident.seen);
  const SystemMemory* machine = machine_at_kill(incident);
  const double total = static_cast<double>(host.mem_total.value_or(0));
  const double free = machine && machine->free ? static_cast<double>(*machine->free) : 0;
  const bool room = total > 0 && free > kRoom * total;

  Cause cause;
  cause.kind = "numa_node_exhausted";
  cause.confidence = room ? 0.9 : 0.7;
  const std::string nodes = incident.report.domain.nodes.value_or("not known");
  cause.summary = fmt::format("{} bound the allocation to the nodes {}, and these were full{}.",
                              kind == DomainKind::kCpuset ? "A cpuset" : "A memory policy", nodes,
                              room ? "; the machine as a whole still had " + bytes_text(free) + " free" : "");
  if (machine && machine->free) cause.evidence.push_back({"free on the whole machine", free, "bytes", "/proc/meminfo"});
  if (total > 0) cause.evidence.push_back({"memory of the whole machine", total, "bytes", "/proc/meminfo"});
  if (incident.seen.decision.total_pages && host.page_size != 0) {
    cause.evidence.push_back({"memory of these nodes and swap",
                              static_cast<double>(*incident.seen.decision.total_pages) * host.page_size, "bytes",
                              "oom.kill"});
  }
  return cause;
}

}  // namespace oomtrace::analysis
