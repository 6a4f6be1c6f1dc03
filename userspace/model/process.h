// SPDX-License-Identifier: Apache-2.0
// A process as the events told it: identity, lineage, memory over time, how it ended. Passive data.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/timeline.h"
#include "oomtrace/event.h"

namespace oomtrace::model {

// Number of a process in its World, in order of first sight, from 1. Never used again.
using ProcessId = std::uint32_t;
inline constexpr ProcessId kNoProcess = 0;

struct CgroupName {
  std::uint64_t id = 0;  // 0 = not known
  std::string path;      // empty = not known
  bool known() const { return id != 0 || !path.empty(); }
};

// A process as an event named it, and which process of the World that was.
struct ProcessName {
  ProcessId id = kNoProcess;
  std::uint32_t pid = 0;
  std::uint64_t start_boot_ns = 0;
  std::string comm;
};

struct MemorySample {
  MemoryCounters counters;
  FaultCounts faults;
  // Write-protect faults, user and kernel, taken while a relative still mapped the same pages: an upper bound of the
  // pages that were copied (faults of the last owner are reuse, see growth).
  std::uint64_t shared_write_faults = 0;
  std::int64_t high_rss = 0;  // highest anon + file + shmem since the previous point

  bool same_figures(const MemorySample& other) const {
    return counters == other.counters && faults == other.faults && shared_write_faults == other.shared_write_faults;
  }
  void absorb(const MemorySample& older) { high_rss = std::max(high_rss, older.high_rss); }
};

struct SignalSeen {
  std::uint64_t boot_ns = 0;
  ProcessName sender;
  std::int32_t signal = 0;
  std::optional<std::int32_t> si_code;
  bool from_kernel = false;
  bool in_oom_kill = false;
  std::optional<std::size_t> incident;  // index into World::incidents()
};

struct ScoreAdjChange {
  std::uint64_t boot_ns = 0;
  ProcessName by;
  std::int32_t oom_score_adj = 0;
};

// How a process came into the World.
enum class Origin {
  kFork,
  kSeen
};  // its fork was an event; it was only seen alive (older than the trace, or fork lost)

struct Process {
  explicit Process(std::size_t samples) : memory(samples) {}

  ProcessId id = kNoProcess;
  std::size_t boot = 0;  // index into World::boots()
  std::uint32_t pid = 0;
  std::uint64_t start_boot_ns = 0;  // 0 = not known
  Origin origin = Origin::kSeen;
  std::uint64_t first_seen_ns = 0;

  std::string comm;
  std::string executable;
  std::string command_line;
  bool command_line_truncated = false;
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::string> libraries;
  std::vector<std::string> threads;
  std::optional<std::uint32_t> uid;
  std::optional<std::int32_t> oom_score_adj;
  std::vector<ScoreAdjChange> adj_changes;  // the last few
  CgroupName cgroup;
  std::optional<std::uint64_t> shm_size, shm_used;  // of /dev/shm as it sees it; the most that was used

  ProcessId parent = kNoProcess;               // who made it; for Origin::kSeen the first parent that was told
  std::optional<std::uint32_t> parent_pid;     // as last told
  std::optional<std::uint64_t> reparented_ns;  // first time that parent_pid was not its maker's any more
  std::vector<ProcessId> children;             // by birth; some may have been forgotten
  static constexpr std::size_t kFirstPurge = 64;
  std::size_t next_purge = kFirstPurge;                 // how many children before the forgotten are taken out
  std::uint64_t clone_flags = 0;                        // of its fork event
  std::uint32_t execs = 0;                              // seen
  std::optional<std::uint64_t> first_exec_ns, exec_ns;  // the first and the last one seen

  std::optional<MemoryCounters> inherited;  // at fork; nobody's growth, and gone with the first exec
  Timeline<MemorySample> memory;
  FaultCounts faults;                     // as last told
  std::uint64_t shared_write_faults = 0;  // so far, see MemorySample
  // Taken while it was not known whether the process was forked; they become shared ones where it turns out that it
  // was.
  std::uint64_t unclear_write_faults = 0;

  std::optional<std::uint64_t> exit_ns;              // exit seen, or its pid was taken by another
  std::optional<std::uint32_t> wait_status;          // form of wait(2)
  std::optional<std::uint64_t> address_space_limit;  // RLIMIT_AS at its exit; nullopt: none, or not known
  bool oom_victim = false;                           // by its exit event
  bool reaped = false;                               // by the OOM reaper
  std::vector<SignalSeen> signals;                   // fatal ones sent to it, the first few
  std::optional<std::size_t> killed_in;              // index of the incident that killed it
  bool kept = false;                                 // an incident refers to it: forgotten last
  std::uint64_t incidents_lived = 0;                 // of Boot::incidents, those that `kept` and pins reckon with
  std::size_t details = 0;                           // bytes of its texts and lists, as World counts them

  bool alive() const { return !exit_ns; }
  bool alive_at(std::uint64_t at_ns) const { return !exit_ns || *exit_ns > at_ns; }
};

}  // namespace oomtrace::model
