// SPDX-License-Identifier: Apache-2.0
// From a replayed World to the Report.
#include "analysis/build_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "analysis/causes/cause.h"
#include "analysis/context.h"
#include "analysis/domain_ledger.h"
#include "analysis/findings/finding.h"
#include "analysis/gaps.h"
#include "analysis/growth.h"
#include "analysis/remedies/remedy.h"
#include "analysis/selection.h"
#include "analysis/time_order.h"
#include "analysis/verdicts.h"
#include "base/dotted_name.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

const char* decided_word(DecidedBy by) {
  switch (by) {
    case DecidedBy::kUnknown:
      break;
    case DecidedBy::kKernel:
      return "kernel";
    case DecidedBy::kAllocatingTask:
      return "allocating_task";
    case DecidedBy::kSysrq:
      return "sysrq";
    case DecidedBy::kBpf:
      return "bpf";
  }
  return "";
}

Trigger describe_trigger(const Context& context, const model::Decision& decision) {
  Trigger trigger;
  if (decision.trigger.pid != 0) {
    trigger.pid = decision.trigger.pid;
    trigger.role = context.role_of(decision.trigger.id);
  }
  if (!decision.trigger.comm.empty()) trigger.comm = decision.trigger.comm;
  if (decision.gfp_mask) {
    trigger.gfp_mask = fmt::format("{:#x}", *decision.gfp_mask);
    if (!decision.gfp_names.empty()) *trigger.gfp_mask += "(" + decision.gfp_names + ")";
  }
  trigger.order = decision.order;
  trigger.oom_score_adj = decision.trigger_oom_score_adj;
  trigger.stack = decision.stack;
  return trigger;
}

Victim describe_victim(const Context& context, const model::Incident& incident, const model::Kill& kill,
                       const Selection& selection) {
  Victim victim;
  victim.pid = kill.victim.pid;
  victim.comm = kill.victim.comm;
  victim.role = context.role_of(kill.victim.id);
  victim.place = context.place_of(kill.victim.id);
  const std::size_t boot = boot_of(context.world, incident);
  const std::string path = context.world.path_of(boot, kill.cgroup);
  if (!path.empty()) victim.cgroup = path;
  if (const model::Process* process = context.world.find(kill.victim.id)) {
    if (!process->command_line.empty()) victim.command_line = process->command_line;
    const model::Job& job = context.jobs.of(process->id);
    const bool alone = job.members <= 1 && !job.identity.any();
    if (!alone && !job.name.empty()) victim.job = job.name;
    if (!victim.cgroup && !process->cgroup.path.empty()) victim.cgroup = process->cgroup.path;
  }
  victim.uid = kill.uid;
  victim.oom_score_adj = kill.oom_score_adj;
  if (kill.memory) {
    const MemoryCounters& memory = *kill.memory;
    const auto known = [&](MemoryField bit) { return (memory.missing & bit) == 0; };
    // A counter whose parts still lie with the processors may be below nothing: the kernel's "Killed process" line has
    // 0 then (include/linux/mm.h, get_mm_counter).
    const auto shown = [](std::int64_t bytes) { return std::max<std::int64_t>(bytes, 0); };
    if (known(kMemoryAnon)) victim.anon_rss_bytes = shown(memory.anon);
    if (known(kMemoryFile)) victim.file_rss_bytes = shown(memory.file);
    if (known(kMemoryShmem)) victim.shmem_rss_bytes = shown(memory.shmem);
    if (known(kMemorySwap)) victim.swap_bytes = shown(memory.swap);
    if (known(kMemoryPgtables)) victim.pgtables_bytes = memory.pgtables;
    if (known(kMemoryTotalVm)) victim.total_vm_bytes = memory.total_vm;
  }
  for (const Candidate& candidate : selection.candidates) {
    if (candidate.victim && candidate.pid == kill.victim.pid) victim.points = candidate.points;
  }
  if (!victim.points) victim.points = kill.points;
  victim.score = kill.score;
  // A kernel logs and traces reaping where it happens, so not seen is not reaped, unless something was lost.
  victim.reaped = kill.reaped;
  victim.group_member = kill.group_member;
  return victim;
}

// Whether a stream was narrowed to kinds of event that do not tell all who grew.
bool leaves_out_growth(const model::HostFacts& host) {
  if (host.selected_kinds.empty()) return false;
  constexpr std::array<std::string_view, 3> kTold = {"process.memory", "process.fork", "process.exit"};
  return !std::all_of(kTold.begin(), kTold.end(), [&](std::string_view kind) {
    return std::any_of(host.selected_kinds.begin(), host.selected_kinds.end(),
                       [&](const std::string& selected) { return is_of_family(kind, selected); });
  });
}

Incident describe_incident(const Context& context, const model::Incident& seen, std::uint64_t id, bool weigh) {
  const model::World& world = context.world;
  Incident report;
  report.id = id;
  report.time = time_of(seen.wall_ns);
  if (seen.boot_ns != 0) report.boot_ns = seen.boot_ns;
  report.host = world.boots()[boot_of(world, seen)].host_name;
  const model::HostFacts& host = host_of(world, seen);
  report.narrowed = host.narrowed || leaves_out_growth(host);
  report.decided_by = decided_word(seen.decision.decided_by);
  report.domain = describe_domain(world, seen);
  report.trigger = describe_trigger(context, seen.decision);
  report.selection = explain_selection(context, seen);
  for (const model::Kill& kill : seen.kills) {
    if (!kill.already_dying) report.victims.push_back(describe_victim(context, seen, kill, report.selection));
  }
  std::optional<Window> window;
  report.growth_left_out = !weigh && host.source != "kernel_log";  // which never has any
  if (auto found = weigh ? find_growth(context, seen) : std::nullopt) {
    report.growth = std::move(found->growth);
    window = found->window;
  }
  report.system = describe_system(world, seen);
  const IncidentContext incident{context, seen, report, window};
  Diagnosed diagnosed = diagnose(world, incident);
  report.remedies = advise(incident, diagnosed);
  report.cause = std::move(diagnosed.cause);
  report.contributing = std::move(diagnosed.contributing);
  name_gaps(world, seen, report);
  return report;
}

}  // namespace

std::vector<Numbered> numbered_incidents(const model::World& world) {
  std::vector<Numbered> numbered;
  std::set<std::uint64_t> ids;
  std::uint64_t next = 1;
  for (const model::Incident* incident : in_order_of_time(world)) {
    const bool marks_only = !incident->kills.empty() && chosen_kill(*incident) == nullptr;
    if (marks_only && incident->candidates.empty()) continue;
    std::uint64_t id = incident->id;
    while (id == 0 || ids.contains(id)) id = next++;
    ids.insert(id);
    numbered.push_back({id, incident});
  }
  return numbered;
}

Report build_report(const model::World& world, const SourceInfo& source, std::uint64_t most_weighed) {
  const Context context(world);
  Report report;
  report.source = describe_source(world, source);
  std::int64_t left_out = 0;
  for (const Numbered& numbered : numbered_incidents(world)) {
    const bool weigh = context.processes.given() <= most_weighed;
    report.incidents.push_back(describe_incident(context, *numbered.incident, numbered.id, weigh));
    left_out += report.incidents.back().growth_left_out ? 1 : 0;
  }
  if (left_out > 0) {
    report.source.notes.push_back("of " + format_count(left_out, "incident") +
                                  " nobody's growth was weighed: more than a report does. A part of the input at a "
                                  "time has it.");
  }
  Endings endings = judge(context);
  chain(context, endings);
  report.deaths = find_deaths(context, endings);
  report.diagnosis = find_diagnoses(context, endings);
  return report;
}

}  // namespace oomtrace::analysis
