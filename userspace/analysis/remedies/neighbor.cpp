// SPDX-License-Identifier: Apache-2.0
// Remedies: another program grew in the same domain.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/remedies/commands.h"
#include "analysis/remedies/next_victim.h"
#include "analysis/remedies/remedy.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr std::int64_t kLeastLimit = 64 << 20;

void limit_of_its_own(const Patient& patient, const Group& group, std::vector<Advice>& advice) {
  const Grower& first = group.members.front();
  const auto* last = first.process->memory.at(patient.incident.seen.boot_ns);
  const std::int64_t held = last ? std::max<std::int64_t>(0, last->sample.counters.anon) : 0;
  const std::int64_t before = std::max<std::int64_t>(0, held - first.growth->grown_bytes);
  const double limit = static_cast<double>(std::max(before * 2, kLeastLimit));
  Remedy remedy;
  remedy.title = fmt::format("Give {} a memory limit of its own", named(*first.process));
  remedy.command = fmt::format("systemd-run --scope -p MemoryMax={} -p MemorySwapMax=0 COMMAND", limit_text(limit));
  remedy.why = fmt::format(
      "It grew from {} to {} and took the headroom of everybody under the limit of {}. With {} it would have been the "
      "only one to die, long before.",
      format_bytes(before), format_bytes(held), format_bytes(patient.size), bytes_text(limit));
  remedy.risk =
      "It is killed when it reaches that limit: have it restarted (Restart=on-failure in its unit; a container "
      "of its own in a pod).";
  advice.push_back({patient.share(static_cast<double>(group.grown_bytes)), std::move(remedy)});
}

void offer_it(const Patient& patient, const Group& group, std::vector<Advice>& advice) {
  const model::Process& process = group.top();
  const auto adj = adj_to_be_first(patient, process.pid);
  Remedy remedy;
  remedy.title = fmt::format("Offer {} to the OOM killer before the trainer", named(process));
  const std::int32_t value = adj.value_or(1000);
  remedy.command = fmt::format("choom -n {} -p {}", value, process.pid);
  const auto next = next_with_adj(patient, process.pid, value);
  remedy.why =
      adj ? fmt::format("With oom_score_adj {} the kernel would have taken {}. Raising needs no privilege.", value,
                        next ? next->text : "it first")
          : fmt::format(
                "Even with 1000 the kernel would have taken {} first; it is a help only if it is larger by then.",
                next ? next->text : "another");
  remedy.risk =
      "The value is inherited by what it starts, and does not survive its restart: set OOMScoreAdjust= in its "
      "unit.";
  advice.push_back({patient.share(static_cast<double>(group.grown_bytes)) * (adj ? 0.8 : 0.2), std::move(remedy)});
}

}  // namespace

void advise_neighbor(const Patient& patient, std::vector<Advice>& advice) {
  if (!patient.is("neighbor_growth") || !patient.group) return;
  limit_of_its_own(patient, *patient.group, advice);
  offer_it(patient, *patient.group, advice);
  Remedy remedy;
  remedy.title = fmt::format("Find out why {} grows", named(patient.group->top()));
  remedy.command = fmt::format("grep -E 'Rss|Pss|Swap' /proc/{}/smaps_rollup", patient.group->top().pid);
  remedy.why = fmt::format("{} were taken in the window; the victim's own program took {} of the growth.",
                           format_bytes(patient.group->grown_bytes),
                           format_percent(patient.figure("share of the victim's program")));
  remedy.risk = "None.";
  advice.push_back({0.03, std::move(remedy)});
}

}  // namespace oomtrace::analysis
