// SPDX-License-Identifier: Apache-2.0
// World: the replayed state of a host. Events go in, in order; processes, cgroups and incidents can be read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/host.h"
#include "model/incident.h"
#include "model/pid_table.h"
#include "model/process.h"
#include "oomtrace/event.h"

namespace oomtrace::model {

// Nothing here reads a clock, /proc or the environment; the same events give the same World. Memory grows with the
// processes alive, the dead that are remembered and the incidents, not with the number of events.
class World {
 public:
  struct Limits {
    std::size_t process_samples = 128;  // points of one process's memory timeline
    std::size_t system_samples = 1024;  // of the host's and of a cgroup's
    // Dead processes remembered beside those that an incident refers to; the earliest dead are forgotten first.
    std::size_t quiet_dead = 8192;   // exit status 0
    std::size_t failed_dead = 8192;  // any other end
    std::size_t cgroups = 4096;
    std::size_t candidates = 65536;     // of one incident
    std::size_t family_members = 4096;  // of one incident, whose regions are kept
    std::size_t regions = 8192;         // of one process
    std::size_t text = 4096;            // bytes of any text but a path
    std::size_t list = 256;             // environment, libraries, threads, mounts, loss sources, traces, boots
  };

  World() : World(Limits{}) {}
  explicit World(const Limits& limits) : limits_(limits) {}
  World(World&&) = default;  // no copies: tables point into processes_
  World& operator=(World&&) = default;

  // Copies what it keeps: the event's text may go away afterwards.
  void apply(const Event& event);

  const std::vector<Trace>& traces() const { return traces_; }
  const std::vector<Boot>& boots() const { return boots_; }
  // By order of first sight.
  const std::map<ProcessId, Process>& processes() const { return processes_; }
  const std::vector<Incident>& incidents() const { return incidents_; }
  std::uint64_t forgotten_processes() const { return forgotten_; }

  const Process* find(ProcessId id) const;  // nullptr: none, or forgotten
  // The process that holds or last held a pid.
  const Process* by_pid(std::size_t boot, std::uint32_t pid) const;
  const Process* parent_of(const Process& process) const { return find(process.parent); }
  const Cgroup* cgroup(std::size_t boot, std::uint64_t id) const;
  // By path, where no id is known.
  const Cgroup* cgroup(std::size_t boot, std::string_view path) const;
  // A cgroup's path by its id where the name itself has none; empty if nobody told it.
  std::string path_of(std::size_t boot, const CgroupName& name) const;

 private:
  struct At {
    std::size_t trace = 0;
    std::size_t boot = 0;
    std::uint64_t boot_ns = 0;
    std::int64_t wall_ns = 0;
  };
  using PidKey = std::pair<std::size_t, std::uint32_t>;
  using CgroupKey = std::pair<std::size_t, std::uint64_t>;

  // One for each kind of event: a kind without one does not compile.
  void on(const TraceStart&, const At&);
  void on(const TraceStop&, const At&);
  void on(const TraceLost&, const At&);
  void on(const ProcessFork&, const At&);
  void on(const ProcessExec&, const At&);
  void on(const ProcessExit&, const At&);
  void on(const ProcessMemory&, const At&);
  void on(const ProcessInfo&, const At&);
  void on(const OomKill&, const At&);
  void on(const OomCandidate&, const At&);
  void on(const OomEnd&, const At&);
  void on(const OomReaped&, const At&);
  void on(const OomScoreAdj&, const At&);
  void on(const SignalKill&, const At&);
  void on(const SystemMemory&, const At&);
  void on(const SystemPressure&, const At&);
  void on(const SystemMounts&, const At&);
  void on(const CgroupMemory&, const At&);
  void on(const KernelLog&, const At&);
  void on(const ProcessRegions&, const At&);
  void on(const TraceClock&, const At&);

  At locate(const Event& event);
  std::size_t boot_index(const Event& event);
  std::size_t add_boot(const Event& event, std::string_view key);
  std::size_t trace_index(const Event& event, std::size_t boot);

  // The process that an event names: by pid and start; without a start, whoever holds the pid. Made where unknown; a
  // start later than the holder's takes the pid over.
  Process& resolve(const ProcessRef& ref, const At& at);
  // As resolve(), for what may concern a process already gone: without a start, who had the pid at the event's time,
  // dead or alive.
  Process& resolve_past(const ProcessRef& ref, const At& at);
  Process& create(const ProcessRef& ref, const At& at);
  ProcessName name(const ProcessRef& ref, const At& at);
  ProcessName name_of(const ProcessRef& ref, const Process& process) const;
  void end(Process& process, std::uint64_t at_ns);
  void forget_beyond(std::deque<ProcessId>& queue, std::size_t limit);
  void forget(ProcessId id);

  void link(Process& child, Process& parent);
  void told_decision(Decision& decision, const OomDecision& told, const At& at);
  void told_parent(Process& process, std::optional<std::uint32_t> parent_pid, const At& at);
  void told_cgroup(CgroupName& name, const CgroupRef& ref, const At& at);
  Cgroup* cgroup_slot(std::size_t boot, const CgroupRef& ref);
  void sample(Process& process, const MemoryCounters* counters, const FaultCounts* faults, std::uint64_t at_ns);
  void settle_unclear_faults(Process& process);
  bool relative_alive(const Process& process) const;

  std::size_t incident_index(std::uint64_t id, const At& at);
  void keep_the_living(std::size_t boot);
  void keep(ProcessId id);

  std::string clip(std::string_view text) const { return std::string(text.substr(0, limits_.text)); }

  Limits limits_;
  std::vector<Trace> traces_;
  std::vector<Boot> boots_;
  std::map<std::pair<std::size_t, std::string>, std::size_t> trace_by_id_;  // by boot
  std::size_t last_trace_ = 0;                                              // of the last event
  std::map<std::string, std::size_t, std::less<>> boot_by_id_;
  std::map<ProcessId, Process> processes_;
  std::unordered_map<ProcessId, Process*> by_id_;  // the same processes, found in one step
  PidTable pids_;
  std::map<PidKey, std::vector<ProcessId>> awaiting_parent_;  // whose parent's pid nobody has been seen to hold
  std::deque<ProcessId> quiet_dead_, failed_dead_;
  std::map<CgroupKey, Cgroup> cgroups_;
  std::map<std::pair<std::size_t, std::string>, Cgroup, std::less<>> cgroups_by_path_;  // those without an id
  std::vector<Incident> incidents_;
  std::map<std::pair<std::size_t, std::uint64_t>, std::size_t> incident_by_id_;
  std::map<std::pair<std::size_t, ProcessId>, std::size_t> candidate_row_;  // (incident, process) -> its row
  ProcessId next_id_ = 1;
  std::uint64_t forgotten_ = 0;
};

}  // namespace oomtrace::model
