// SPDX-License-Identifier: Apache-2.0
// What oom.* and signal.* events change: incidents, their kills and candidates, who was signalled by whom.
#include <algorithm>
#include <iterator>

#include "model/world.h"

namespace oomtrace::model {
namespace {

template <class T>
void fill(std::optional<T>& known, const std::optional<T>& told) {
  if (!known) known = told;
}

void fill(std::string& known, std::string_view told) {
  if (known.empty()) known = told;
}

// The kernel's own word (it names the constraint) against what was inferred from a mark alone: somebody else's limit,
// other nodes?
bool contradicts(const OomDecision& told, const Decision& inferred) {
  if (told.constraint.empty() || !inferred.constraint.empty()) return false;
  if (told.domain == DomainKind::kUnknown || inferred.domain == DomainKind::kUnknown) return false;
  if (told.domain != inferred.domain) return true;
  if (!told.cgroup.path.empty() && !inferred.cgroup.path.empty()) return told.cgroup.path != inferred.cgroup.path;
  return !told.nodes.empty() && told.nodes != inferred.nodes;
}

std::size_t text_of(const Decision& decision) {
  std::size_t bytes = decision.constraint.size() + decision.cgroup.path.size() + decision.nodes.size() +
                      decision.trigger_cgroup.path.size() + decision.gfp_names.size() + decision.way.size() +
                      decision.oom_group.size();
  for (const std::string& frame : decision.stack) bytes += sizeof(std::string) + frame.size();
  return bytes;
}

}  // namespace

std::optional<std::size_t> World::incident_index(std::uint64_t id, const At& at) {
  const auto known = incident_by_id_.find({at.trace, id});
  if (known != incident_by_id_.end()) return known->second;
  if (incidents_.size() >= limits_.incidents || incidents_full()) return std::nullopt;
  incident_by_id_.emplace(std::pair{at.trace, id}, incidents_.size());
  Incident& incident = incidents_.emplace_back();
  incident_bytes_ += sizeof(Incident);
  incident.trace = at.trace;
  incident.id = id;
  incident.boot_ns = at.boot_ns;
  incident.wall_ns = at.wall_ns;
  ++boots_[at.boot].incidents;
  return incidents_.size() - 1;
}

void World::told_decision(Decision& decision, const OomDecision& told, const At& at) {
  if (contradicts(told, decision)) {
    decision.domain = DomainKind::kUnknown;
    decision.cgroup = {};
    decision.limit = decision.usage = decision.swap_limit = decision.total_pages = std::nullopt;
    decision.nodes.clear();
  }
  if (decision.domain == DomainKind::kUnknown) decision.domain = told.domain;
  // That nothing was weighed is said by the kernel's message; who only saw the mark takes it for a choice.
  const bool better = told.decided_by == DecidedBy::kAllocatingTask && decision.decided_by == DecidedBy::kKernel;
  if (decision.decided_by == DecidedBy::kUnknown || better) decision.decided_by = told.decided_by;
  fill(decision.constraint, cut(told.constraint));
  told_cgroup(decision.cgroup, told.cgroup, at);
  fill(decision.limit, told.limit);
  fill(decision.usage, told.usage);
  fill(decision.swap_limit, told.swap_limit);
  fill(decision.total_pages, told.total_pages);
  fill(decision.chosen_points, told.chosen_points);
  fill(decision.nodes, cut(told.nodes));
  if (decision.trigger.pid == 0 && (told.trigger.pid != 0 || !told.trigger.comm.empty())) {
    decision.trigger = name(told.trigger, at);
    keep(decision.trigger.id);
  }
  fill(decision.trigger_tid, told.trigger_tid);
  told_cgroup(decision.trigger_cgroup, told.trigger_cgroup, at);
  fill(decision.trigger_oom_score_adj, told.trigger_oom_score_adj);
  fill(decision.gfp_mask, told.gfp_mask);
  fill(decision.gfp_names, cut(told.gfp_names));
  fill(decision.order, told.order);
  if (decision.stack.empty()) {
    for (const std::string_view frame : told.stack) decision.stack.push_back(clip(frame));
  }
  fill(decision.way, cut(told.way));
  fill(decision.oom_group, cut(told.oom_group));
}

// A recording's kernel log is read behind its events: what it says of an earlier kill is not what is so by now.
void World::note_state(Process& process, const CgroupRef& cgroup, const Opt<std::uint32_t>& uid,
                       const Opt<std::int32_t>& oom_score_adj, const Opt<MemoryCounters>& memory, const At& at) {
  const auto* last = process.memory.last();
  if (last != nullptr && last->until_ns > at.boot_ns) return;
  told_cgroup(process, cgroup, at);
  if (uid) process.uid = uid;
  if (oom_score_adj) process.oom_score_adj = oom_score_adj;
  if (!memory) return;
  sample(process, &*memory, nullptr, at.boot_ns);
  process.memory.pin_last();
}

void World::on(const OomKill& kill, const At& at) {
  // Marked on its way out: no decision chose it, so there is no incident.
  if (kill.already_dying && kill.decision.incident_id == 0) {
    resolve_past(kill.victim, at);
    return;
  }
  const auto found = incident_index(kill.decision.incident_id, at);
  if (!found) {
    ++beyond_.kills;
    return;
  }
  const std::size_t index = *found;
  incidents_[index].decided = true;
  const std::size_t before = text_of(incidents_[index].decision);
  told_decision(incidents_[index].decision, kill.decision, at);
  incident_bytes_ += text_of(incidents_[index].decision) - before;
  if (kill.victim.pid == 0) {
    fill(incidents_[index].no_victim, kill.no_victim.empty() ? "report_cut" : cut(kill.no_victim));
    return;
  }
  Process& victim = resolve_past(kill.victim, at);
  Incident& incident = incidents_[index];

  victim.kept = true;
  told_parent(victim, kill.parent_pid, at);
  note_state(victim, kill.cgroup, kill.uid, kill.oom_score_adj, kill.memory, at);
  if (!kill.already_dying && !victim.killed_in) victim.killed_in = index;
  // The signal is sent before the victim is marked (mm/oom_kill.c, __oom_kill_process), so on another CPU its exit may
  // have begun by then: what it held was there when it was chosen.
  if (!kill.already_dying && victim.exit_ns && *victim.exit_ns <= at.boot_ns) victim.exit_ns = at.boot_ns + 1;

  const auto same = std::find_if(incident.kills.begin(), incident.kills.end(),
                                 [&](const Kill& known) { return known.victim.id == victim.id; });
  const bool is_new = same == incident.kills.end();
  if (is_new && (incident.kills.size() >= limits_.kills || incidents_full())) {
    ++beyond_.kills;
    return;
  }
  Kill& row = is_new ? incident.kills.emplace_back() : *same;
  if (is_new) {
    row.boot_ns = at.boot_ns;
    row.victim = name_of(kill.victim, victim);
    row.group_member = kill.group_member;
    row.already_dying = kill.already_dying;
    incident_bytes_ += sizeof(Kill) + kill.cgroup.path.size();
  } else {
    // The group pass names the chosen one again: chosen, and killed, it stays.
    row.group_member = row.group_member && kill.group_member;
    row.already_dying = row.already_dying && kill.already_dying;
  }
  fill(row.parent_pid, kill.parent_pid);
  fill(row.uid, kill.uid);
  fill(row.oom_score_adj, kill.oom_score_adj);
  told_cgroup(row.cgroup, kill.cgroup, at);
  fill(row.memory, kill.memory);
  fill(row.points, kill.points);
  fill(row.score, kill.score);
  fill(row.sacrificed_for_pid, kill.sacrificed_for_pid);
}

void World::on(const OomCandidate& candidate, const At& at) {
  constexpr std::size_t kIndexBytes = 80;  // a node of candidate_row_
  const auto found = incident_index(candidate.incident_id, at);
  if (!found) return;
  const std::size_t index = *found;
  Process& process = resolve_past(candidate.process, at);
  Incident& incident = incidents_[index];
  process.kept = true;
  told_parent(process, candidate.parent_pid, at);
  note_state(process, candidate.cgroup, candidate.uid, candidate.oom_score_adj,
             process.alive() ? candidate.memory : std::nullopt, at);

  CandidateRow row;
  row.process = name_of(candidate.process, process);
  row.uid = candidate.uid;
  row.oom_score_adj = candidate.oom_score_adj;
  told_cgroup(row.cgroup, candidate.cgroup, at);
  row.memory = candidate.memory;
  row.rss = candidate.rss;
  row.points = candidate.points;
  row.excluded = candidate.excluded;
  row.shares_victim_memory = candidate.shares_victim_memory;
  row.provenance = candidate.provenance;

  const auto known = candidate_row_.find({index, process.id});
  if (known != candidate_row_.end()) {
    // A better source's row takes the place of a poorer one's.
    CandidateRow& old = incident.candidates[known->second];
    if (row.provenance < old.provenance) {
      if (old.provenance == Provenance::kKernelLog) row.logged = {old.oom_score_adj, old.memory, old.rss};
      old = std::move(row);
    } else if (row.provenance == Provenance::kKernelLog && old.provenance != Provenance::kKernelLog) {
      old.logged = {row.oom_score_adj, row.memory, row.rss};
    }
    return;
  }
  if (incident.candidates.size() >= limits_.candidates || incidents_full()) {
    ++incident.candidates_over_limit;
    return;
  }
  candidate_row_.emplace(std::pair{index, process.id}, incident.candidates.size());
  incident_bytes_ += sizeof(CandidateRow) + kIndexBytes + row.cgroup.path.size();
  incident.candidates.push_back(std::move(row));
}

void World::on(const ProcessRegions& told, const At& at) {
  constexpr std::size_t kRegionBytes = 64;  // a node of the map
  if (!told.incident_id || told.region_bytes == 0) return;
  const Process& process = resolve_past(told.process, at);
  const auto index = incident_index(*told.incident_id, at);
  if (!index) return;
  std::vector<WrittenRegions>& all = incidents_[*index].regions;
  auto found =
      std::find_if(all.begin(), all.end(), [&](const WrittenRegions& one) { return one.process == process.id; });
  if (found == all.end()) {
    if (all.size() >= limits_.family_members) return;
    all.push_back({process.id, told.region_bytes, {}, 0});
    found = std::prev(all.end());
    keep(process.id);
  }
  if (found->region_bytes != told.region_bytes) return;
  found->elsewhere = told.elsewhere;
  for (const WrittenRegion& region : told.regions) {
    if (found->faults.size() >= limits_.regions || incidents_full()) break;
    if (found->faults.insert_or_assign(region.address, region.write_protect).second) incident_bytes_ += kRegionBytes;
  }
}

void World::on(const OomEnd& end, const At& at) {
  const auto index = incident_index(end.incident_id, at);
  if (!index) return;
  Incident& incident = incidents_[*index];
  const ScanEnd row{end.scanned, end.emitted, end.dropped, end.provenance, end.report_cut};
  const auto same = std::find_if(incident.ends.begin(), incident.ends.end(),
                                 [&](const ScanEnd& known) { return known.provenance == end.provenance; });
  if (same == incident.ends.end()) {
    incident.ends.push_back(row);
  } else {
    *same = row;
  }
}

void World::on(const OomReaped& reaped, const At& at) {
  Process& process = resolve_past(reaped.process, at);
  process.reaped = true;
  if (!process.killed_in) return;
  for (Kill& kill : incidents_[*process.killed_in].kills) {
    if (kill.victim.id != process.id) continue;
    kill.reaped = true;
    kill.reaped_ns = at.boot_ns;
  }
}

void World::on(const SignalKill& signal, const At& at) {
  constexpr std::size_t kKept = 8;
  Process& target = resolve_past(signal.target, at);
  if (target.signals.size() >= kKept) return;
  SignalSeen seen;
  seen.boot_ns = at.boot_ns;
  seen.sender = name(signal.sender, at);
  seen.signal = signal.signal;
  seen.si_code = signal.si_code;
  seen.from_kernel = signal.from_kernel;
  seen.in_oom_kill = signal.in_oom_kill;
  if (signal.in_oom_kill && signal.incident_id) {
    const auto known = incident_by_id_.find({at.trace, *signal.incident_id});
    if (known != incident_by_id_.end()) seen.incident = known->second;
  }
  target.signals.push_back(std::move(seen));
  count_details(target);
}

}  // namespace oomtrace::model
