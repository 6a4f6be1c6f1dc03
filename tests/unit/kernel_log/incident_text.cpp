// SPDX-License-Identifier: Apache-2.0
// An incident as text.
#include "incident_text.h"

#include <sstream>

namespace oomtrace::kernel_log {
namespace {

template <class T>
std::string show(const std::optional<T>& value) {
  return value ? std::to_string(*value) : "-";
}
std::string show(const std::optional<MemoryCounters>& m) {
  if (!m) return "-";
  std::ostringstream out;
  out << m->anon << "/" << m->file << "/" << m->shmem << "/" << m->swap << "/" << m->pgtables << "/" << m->total_vm
      << "/missing " << int{m->missing};
  return out.str();
}

}  // namespace

std::string to_text(const CollectedIncident& incident) {
  std::ostringstream out;
  const OomDecision& d = incident.kills.front().decision;
  out << "kernel=" << incident.kernel_release << "\npage_size=" << incident.page_size
      << "\ndomain=" << static_cast<int>(d.domain) << "\ndecided_by=" << static_cast<int>(d.decided_by)
      << "\nconstraint=" << d.constraint << "\ncgroup=" << d.cgroup.path << "\nlimit=" << show(d.limit)
      << "\nusage=" << show(d.usage) << "\nswap_limit=" << show(d.swap_limit) << "\ntotal_pages=" << show(d.total_pages)
      << "\nnodes=" << d.nodes << "\ntrigger=" << d.trigger.pid << " " << d.trigger.comm << " " << show(d.trigger_tid)
      << "\ntrigger_adj=" << show(d.trigger_oom_score_adj) << "\ngfp=" << show(d.gfp_mask) << " " << d.gfp_names
      << "\norder=" << show(d.order) << "\ngroup=" << d.oom_group << "\nstack=";
  for (const auto frame : d.stack) out << frame << " ";
  out << "\n";
  for (const OomKill& k : incident.kills) {
    out << "kill " << k.victim.pid << " " << k.victim.comm << " uid=" << show(k.uid) << " adj=" << show(k.oom_score_adj)
        << " cgroup=" << k.cgroup.path << " memory=" << show(k.memory) << " score=" << show(k.score)
        << " group=" << k.group_member << " dying=" << k.already_dying << " for=" << show(k.sacrificed_for_pid)
        << " none=" << k.no_victim << "\n";
  }
  for (const OomCandidate& c : incident.candidates) {
    out << "candidate " << c.process.pid << " " << c.process.comm << " tid=" << show(c.tid) << " uid=" << show(c.uid)
        << " adj=" << show(c.oom_score_adj) << " rss=" << show(c.rss) << " memory=" << show(c.memory)
        << " excluded=" << static_cast<int>(c.excluded) << "\n";
  }
  for (const CgroupMemory& g : incident.cgroups) {
    out << "cgroup " << g.cgroup.path << " v" << g.version << " " << show(g.usage) << " " << show(g.limit) << " "
        << show(g.anon) << " " << show(g.file) << " " << show(g.shmem) << " " << show(g.kernel) << " " << show(g.slab)
        << " " << show(g.page_tables) << "\n";
  }
  for (const SystemMemory& m : incident.memory) {
    out << "memory " << show(m.total) << " " << show(m.free) << " " << show(m.anon) << " " << show(m.cached) << " "
        << show(m.shmem) << " " << show(m.slab_unreclaimable) << " " << show(m.page_tables) << " "
        << show(m.kernel_stack) << " " << show(m.swap_total) << "\n";
  }
  out << "end " << incident.end.scanned << " " << incident.end.emitted << " cut=" << incident.end.report_cut << "\n";
  return out.str();
}

std::string to_text(const EventCollector& events) {
  std::string text;
  for (const CollectedIncident& incident : events.incidents) text += to_text(incident) + "\n";
  return text;
}

}  // namespace oomtrace::kernel_log
