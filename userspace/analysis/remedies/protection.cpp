// SPDX-License-Identifier: Apache-2.0
// Remedies: oom_score_adj, and what immunity does to the others.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/remedies/next_victim.h"
#include "analysis/remedies/remedy.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

void undo(const Patient& patient, std::vector<Advice>& advice) {
  if (!patient.group || !patient.victim) return;
  const model::Process& grower = patient.group->top();
  const auto grower_adj = static_cast<std::int32_t>(patient.figure("oom_score_adj of the one that grew"));
  const auto victim_adj = static_cast<std::int32_t>(patient.figure("oom_score_adj of the victim"));
  const bool shielded = grower_adj < 0;
  const model::Process& changed = shielded ? grower : *patient.victim;
  Remedy remedy;
  remedy.title = shielded ? fmt::format("Take the protection from {}", named(grower))
                          : fmt::format("Do not offer {} in its place", named(changed));
  remedy.command = fmt::format("choom -n 0 -p {}", changed.pid);
  const auto next = next_with_adj(patient, changed.pid, 0);
  remedy.why = fmt::format(
      "{} took {} and was spared because its oom_score_adj was {} against {} of the victim, whose death freed little. "
      "With "
      "0 the kernel would have taken {}.",
      named(grower), format_bytes(patient.group->grown_bytes), grower_adj, victim_adj,
      next ? next->text : "the largest");
  remedy.risk = shielded ? "The program can then be killed; let it write checkpoints."
                         : "Raising it needs no privilege, lowering it again CAP_SYS_RESOURCE.";
  advice.push_back({patient.share(static_cast<double>(patient.group->grown_bytes)), std::move(remedy)});
}

// The usual advice: write -1000 for the trainer.
void not_immune(const Patient& patient, std::vector<Advice>& advice) {
  const model::Process* victim = patient.victim;
  if (!victim) return;
  const auto role = patient.incident.context.role(victim->id);
  if (role != model::Role::kTrainer && role != model::Role::kDataloaderWorker) return;
  const auto next = next_with_adj(patient, victim->pid, -1000);
  if (!next) return;
  Remedy remedy;
  remedy.title = "Do not make the trainer immune (oom_score_adj -1000)";
  remedy.why = fmt::format(
      "It is usual advice, and moves the kill to others: with -1000 for {} the kernel would have taken {}. The memory "
      "that was asked for stays asked for.",
      named(*victim), next->text);
  remedy.risk =
      "Children inherit the value: workers become immune, too. When nobody is left to kill, a cgroup hangs at "
      "its limit, and a machine loses sshd or panics. Raise the value of helpers instead.";
  advice.push_back({0, std::move(remedy)});
}

}  // namespace

void advise_protection(const Patient& patient, std::vector<Advice>& advice) {
  if (patient.incident.seen.decision.decided_by == DecidedBy::kAllocatingTask) return;
  if (patient.is("immune_process_growth")) {
    undo(patient, advice);
    return;
  }
  not_immune(patient, advice);
}

}  // namespace oomtrace::analysis
