// SPDX-License-Identifier: Apache-2.0
// Remedies: strict overcommit, which much advice begins with, and what it would have done here.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/causes/ledger.h"
#include "analysis/remedies/remedy.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr const char* kTrouble =
    "Every fork is charged again for all private memory of its parent, written or not, so DataLoader workers of a "
    "large "
    "trainer fail with ENOMEM first; thread stacks and allocator arenas count in full. At the default ratio of 50 only "
    "half of the memory can be promised at all, and ratio 100 without swap leaves nothing for page cache. CUDA's large "
    "reservations are PROT_NONE and cost nothing, but a driver that makes them writable would.";

void in_a_cgroup(std::vector<Advice>& advice) {
  Remedy remedy;
  remedy.title = "Strict overcommit (vm.overcommit_memory = 2) would not have prevented this";
  remedy.why =
      "It is usual advice, and right that programs then get a MemoryError they can catch. But it compares promises "
      "with "
      "the whole machine's memory; a cgroup's limit is enforced when pages are touched, whatever the policy.";
  remedy.risk = kTrouble;
  advice.push_back({0, std::move(remedy)});
}

void on_the_machine(const Patient& patient, const SystemMemory& machine, std::vector<Advice>& advice) {
  const auto& host = host_of(patient.incident.context.world, patient.incident.seen);
  if (!machine.total || !machine.committed || host.overcommit_memory == 2) return;
  const double swap = static_cast<double>(machine.swap_total.value_or(0));
  const double total = static_cast<double>(*machine.total) - static_cast<double>(machine.hugetlb.value_or(0));
  const double committed = static_cast<double>(*machine.committed);
  const double at50 = total / 2 + swap, at100 = total + swap;
  const bool helps = committed > at100;
  Remedy remedy;
  remedy.title = helps ? "Strict overcommit, only with the ratio set and the forks counted"
                       : "Strict overcommit (vm.overcommit_memory = 2) would not have prevented this";
  if (helps) remedy.command = "sysctl -w vm.overcommit_ratio=100 vm.overcommit_memory=2";
  remedy.why = fmt::format(
      "{} were promised when the kill came. At the default ratio of 50 the bound is {}, at 100 it is {}: {}.",
      bytes_text(committed), bytes_text(at50), bytes_text(at100),
      helps ? "the growth would have been refused with a MemoryError instead"
            : "at 100 the growth would have been granted, and at 50 half of the memory would lie idle");
  remedy.risk = kTrouble;
  advice.push_back({helps ? 0.02 : 0, std::move(remedy)});
}

}  // namespace

void advise_overcommit(const Patient& patient, std::vector<Advice>& advice) {
  if (patient.memcg) {
    in_a_cgroup(advice);
    return;
  }
  const SystemMemory* machine = machine_at_kill(patient.incident);
  if (machine && patient.incident.seen.decision.domain == DomainKind::kGlobal)
    on_the_machine(patient, *machine, advice);
}

}  // namespace oomtrace::analysis
