// SPDX-License-Identifier: Apache-2.0
// World: the replayed state of a host. Events go in, in order; processes, cgroups and incidents can be read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
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
  // Those of one thing first, then those of all of a kind, over all boots: together below 1 GiB, whatever the events.
  struct Limits {
    std::size_t process_samples = 128;  // points of one process's memory timeline
    std::size_t system_samples = 1024;  // of the host's and of a cgroup's
    // Dead processes remembered beside those that an incident refers to; the earliest dead are forgotten first.
    std::size_t quiet_dead = 8192;   // exit status 0
    std::size_t failed_dead = 8192;  // any other end
    std::size_t cgroups = 4096;
    std::size_t candidates = 65536;     // of one incident
    std::size_t kills = 16384;          // of one incident
    std::size_t family_members = 4096;  // of one incident, whose regions are kept
    std::size_t regions = 8192;         // of one process
    std::size_t text = 4096;            // bytes of any text; PATH_MAX
    std::size_t list = 256;             // environment, libraries, threads, mounts, traces, boots
    // A host may have 4 Mi (PID_MAX_LIMIT), but those with 300,000 are very big; each takes 1.4 KiB.
    std::size_t living = 393'216;
    std::size_t kept_dead = 131'072;                      // that an incident refers to; the earliest go first
    std::size_t incidents = 32'768;                       // a kill a minute for three weeks
    std::size_t incident_bytes = std::size_t{256} << 20;  // of the rows and texts of all incidents
    std::size_t process_bytes = std::size_t{192} << 20;   // of the texts and lists of all processes
    std::size_t process_points = std::size_t{1} << 20;    // of all their timelines
    std::size_t system_points = std::size_t{1} << 18;     // of all timelines of hosts and cgroups
  };

  // What there was no room for.
  struct Beyond {
    std::uint64_t processes = 0;  // more living ones
    std::uint64_t kills = 0;      // of more incidents, or more of one
    std::uint64_t texts = 0;      // times that a process's environment, command line and such were left out
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
  const Beyond& beyond() const { return beyond_; }

  const Process* find(ProcessId id) const;  // nullptr: none, or forgotten
  // The process that holds or last held a pid.
  const Process* by_pid(std::size_t boot, std::uint32_t pid) const;
  const Process* parent_of(const Process& process) const { return find(process.parent); }
  const Cgroup* cgroup(std::size_t boot, std::uint64_t id) const;
  // All that are remembered of a boot.
  std::vector<const Cgroup*> cgroups(std::size_t boot) const;
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
  void refuse_living_beyond();
  std::size_t living() const {
    return processes_.size() - quiet_dead_.size() - failed_dead_.size() - kept_dead_.size();
  }

  // The texts and lists of a process have changed.
  void count_details(Process& process);
  void leave_out_details(Process& process);
  bool incidents_full() const { return incident_bytes_ >= limits_.incident_bytes; }
  template <class Sample>
  void add_system_point(Timeline<Sample>& timeline, std::uint64_t at_ns, const Sample& sample) {
    const std::size_t before = timeline.points().size();
    timeline.add(at_ns, sample, system_points_ < limits_.system_points);
    system_points_ += timeline.points().size() - before;
  }

  void link(Process& child, Process& parent);
  void told_decision(Decision& decision, const OomDecision& told, const At& at);
  void told_parent(Process& process, std::optional<std::uint32_t> parent_pid, const At& at);
  void told_cgroup(CgroupName& name, const CgroupRef& ref, const At& at);
  void told_cgroup(Process& process, const CgroupRef& ref, const At& at);
  void forget_cgroups();
  Cgroup* cgroup_slot(std::size_t boot, const CgroupRef& ref);
  void note_state(Process& process, const CgroupRef& cgroup, const Opt<std::uint32_t>& uid,
                  const Opt<std::int32_t>& oom_score_adj, const Opt<MemoryCounters>& memory, const At& at);
  void sample(Process& process, const MemoryCounters* counters, const FaultCounts* faults, std::uint64_t at_ns);
  void settle_unclear_faults(Process& process);
  bool relative_alive(const Process& process) const;

  // nullopt: a new one, for which there is no room.
  std::optional<std::size_t> incident_index(std::uint64_t id, const At& at);
  void keep_if_it_lived(Process& process);
  void keep(ProcessId id);

  std::string_view cut(std::string_view text) const { return text.substr(0, limits_.text); }
  std::string clip(std::string_view text) const { return std::string(cut(text)); }
  // The kernel's are of 15 bytes, of its own threads of 63.
  static std::string clip_comm(std::string_view comm) { return std::string(comm.substr(0, 64)); }

  Limits limits_;
  std::vector<Trace> traces_;
  std::vector<Boot> boots_;
  std::map<std::pair<std::size_t, std::string>, std::size_t> trace_by_id_;  // by boot
  std::size_t last_trace_ = 0;                                              // of the last event
  std::map<std::string, std::size_t, std::less<>> boot_by_id_;
  std::map<ProcessId, Process> processes_;
  std::unordered_map<ProcessId, Process*> by_id_;  // the same processes, found in one step
  PidTable pids_;
  std::map<PidKey, std::set<ProcessId>> awaiting_parent_;       // whose parent's pid nobody has been seen to hold
  std::deque<ProcessId> quiet_dead_, failed_dead_, kept_dead_;  // each of the dead in one
  std::map<CgroupKey, Cgroup> cgroups_;
  std::map<std::pair<std::size_t, std::string>, Cgroup, std::less<>> cgroups_by_path_;  // those without an id
  std::vector<Incident> incidents_;
  std::map<std::pair<std::size_t, std::uint64_t>, std::size_t> incident_by_id_;
  std::map<std::pair<std::size_t, ProcessId>, std::size_t> candidate_row_;  // (incident, process) -> its row
  ProcessId next_id_ = 1;
  std::uint64_t forgotten_ = 0;
  Beyond beyond_;
  std::size_t process_bytes_ = 0, process_points_ = 0, system_points_ = 0, incident_bytes_ = 0;  // see Limits
};

}  // namespace oomtrace::model
