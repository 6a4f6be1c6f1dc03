// SPDX-License-Identifier: Apache-2.0
// What made a kill likelier or worse without being its cause.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/causes/growers.h"
#include "analysis/causes/ledger.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

Cause factor(const char* kind, double confidence, std::string summary, std::vector<Evidence> evidence) {
  Cause cause;
  cause.kind = kind;
  cause.confidence = confidence;
  cause.summary = std::move(summary);
  cause.evidence = std::move(evidence);
  return cause;
}

double number(const Opt<std::uint64_t>& bytes) { return static_cast<double>(bytes.value_or(0)); }

void overcommit(const IncidentContext& incident, std::vector<Cause>& found) {
  const SystemMemory* machine = machine_at_kill(incident);
  const auto mode = host_of(incident.context.world, incident.seen).overcommit_memory;
  // A cgroup's limit holds when memory is touched, whatever was promised.
  if (incident.seen.decision.domain != DomainKind::kGlobal || !machine || !mode || *mode == 2) return;
  if (!machine->committed || !machine->total) return;
  const double there = number(machine->total) + number(machine->swap_total);
  const double committed = number(machine->committed);
  if (committed <= there) return;
  found.push_back(factor("overcommit_policy", 0.5,
                         fmt::format("{} were promised where {} exist (vm.overcommit_memory = {}).",
                                     bytes_text(committed), bytes_text(there), *mode),
                         {{"Committed_AS", committed, "bytes", "/proc/meminfo"},
                          {"memory and swap", there, "bytes", "/proc/meminfo"},
                          {"vm.overcommit_memory", static_cast<double>(*mode), "", "trace.start"}}));
}

void swap(const IncidentContext& incident, std::vector<Cause>& found) {
  const SystemMemory* machine = machine_at_kill(incident);
  const model::HostFacts& host = host_of(incident.context.world, incident.seen);
  const auto total = machine && machine->swap_total ? machine->swap_total : host.swap_total;
  if (!total) return;
  if (incident.seen.decision.domain == DomainKind::kMemcg) {
    if (*total > 0 && incident.report.domain.swap_limit_bytes && *incident.report.domain.swap_limit_bytes == 0) {
      found.push_back(factor("no_swap", 0.3, "The cgroup may not swap, although the machine has swap.",
                             {{"swap limit of the cgroup", 0, "bytes", "oom.kill"}}));
    }
    return;
  }
  if (*total == 0) {
    found.push_back(factor("no_swap", 0.3,
                           "The machine has no swap: anonymous memory that nobody uses stays where it is.",
                           {{"SwapTotal", 0, "bytes", "/proc/meminfo"}}));
    return;
  }
  if (!machine || !machine->swap_free || number(machine->swap_free) > 0.05 * number(total)) return;
  found.push_back(factor("swap_full", 0.5,
                         fmt::format("Swap was full: {} of {} were left.", bytes_text(number(machine->swap_free)),
                                     bytes_text(number(total))),
                         {{"SwapFree", number(machine->swap_free), "bytes", "/proc/meminfo"},
                          {"SwapTotal", number(total), "bytes", "/proc/meminfo"}}));
}

void oom_group(const IncidentContext& incident, std::vector<Cause>& found) {
  const auto members = std::count_if(incident.report.victims.begin(), incident.report.victims.end(),
                                     [](const Victim& victim) { return victim.group_member; });
  if (members == 0 && incident.seen.decision.oom_group.empty()) return;
  found.push_back(factor("memory_oom_group", 0.9,
                         fmt::format("memory.oom.group took {} more process{} with the one that was chosen.", members,
                                     members == 1 ? "" : "es"),
                         {{"killed with it", static_cast<double>(members), "processes", "oom.kill"}}));
}

void huge_pages(const IncidentContext& incident, std::vector<Cause>& found) {
  // Pages that come 2 MiB at a time show in the faults: far fewer than pages.
  constexpr double kPagesAFault = 16;
  const auto group = leading_group(incident);
  if (!group || !incident.window || group->fresh_anon < telling_growth(incident)) return;
  double faults = 0;
  for (const Grower& member : group->members) {
    const auto* from = member.process->memory.at(incident.window->from_ns);
    const auto* to = member.process->memory.at(incident.window->to_ns);
    if (!to) continue;
    const auto count = [](const FaultCounts& counts) {
      return static_cast<double>(counts.fresh) + static_cast<double>(counts.kernel_fresh);
    };
    faults += count(to->sample.faults) - (from ? count(from->sample.faults) : 0);
  }
  const std::uint32_t page_size = host_of(incident.context.world, incident.seen).page_size;
  if (page_size == 0 || faults < 1) return;
  const double pages = static_cast<double>(group->fresh_anon) / page_size / faults;
  if (pages < kPagesAFault) return;
  found.push_back(
      factor("transparent_huge_pages", 0.4,
             fmt::format("Memory came {:.0f} pages at a fault: with transparent huge pages a byte that is "
                         "touched may cost 2 MiB.",
                         pages),
             {{"pages for each fault", pages, "", "process.memory"},
              {"fresh anonymous memory", static_cast<double>(group->fresh_anon), "bytes", "process.memory"}}));
}

void fragmentation(const IncidentContext& incident, std::vector<Cause>& found) {
  const auto order = incident.seen.decision.order;
  // Above 3 (PAGE_ALLOC_COSTLY_ORDER) the kernel fails the request rather than kill.
  if (!order || *order <= 0 || incident.seen.decision.domain == DomainKind::kMemcg) return;
  const double pages = *order < 20 ? static_cast<double>(1U << static_cast<unsigned>(*order)) : 0;
  const SystemMemory* machine = machine_at_kill(incident);
  std::vector<Evidence> evidence = {{"order of the request", static_cast<double>(*order), "", "oom.kill"}};
  if (machine && machine->free)
    evidence.push_back({"free at the time", number(machine->free), "bytes", "/proc/meminfo"});
  found.push_back(factor("fragmentation", 0.4,
                         fmt::format("{:.0f} pages in a row were asked for (order {}): free memory in single pages did "
                                     "not help.",
                                     pages, *order),
                         std::move(evidence)));
}

}  // namespace

std::vector<Cause> contributing_factors(const IncidentContext& incident) {
  std::vector<Cause> found;
  overcommit(incident, found);
  swap(incident, found);
  oom_group(incident, found);
  huge_pages(incident, found);
  fragmentation(incident, found);
  if (auto earlier = earlier_victim_dying(incident)) found.push_back(*std::move(earlier));
  return found;
}

}  // namespace oomtrace::analysis
