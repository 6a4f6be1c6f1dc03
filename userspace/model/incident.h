// SPDX-License-Identifier: Apache-2.0
// One OOM kill decision as the events told it: decision, kills, candidates, what the scan covered. Passive data.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/host.h"
#include "model/process.h"
#include "oomtrace/event.h"

namespace oomtrace::model {

// OomDecision with text of its own.
struct Decision {
  DomainKind domain = DomainKind::kUnknown;
  DecidedBy decided_by = DecidedBy::kUnknown;
  std::string constraint;
  CgroupName cgroup;
  std::optional<std::uint64_t> limit, usage, swap_limit, total_pages;
  std::optional<std::int64_t> chosen_points;
  std::string nodes;
  ProcessName trigger;
  std::optional<std::uint32_t> trigger_tid;
  CgroupName trigger_cgroup;
  std::optional<std::int32_t> trigger_oom_score_adj;
  std::optional<std::uint64_t> gfp_mask;
  std::string gfp_names;
  std::optional<std::int32_t> order;
  std::vector<std::string> stack;
  std::string way;
  std::string oom_group;
};

struct Kill {
  std::uint64_t boot_ns = 0;
  ProcessName victim;
  std::optional<std::uint32_t> parent_pid, uid;
  std::optional<std::int32_t> oom_score_adj;
  CgroupName cgroup;
  std::optional<MemoryCounters> memory;
  std::optional<std::int64_t> points;
  std::optional<std::uint64_t> score;
  bool group_member = false;
  bool already_dying = false;
  std::optional<std::uint32_t> sacrificed_for_pid;
  bool reaped = false;
  std::uint64_t reaped_ns = 0;  // 0 = not told
};

struct CandidateRow {
  ProcessName process;
  std::optional<std::uint32_t> uid;
  std::optional<std::int32_t> oom_score_adj;
  CgroupName cgroup;
  std::optional<MemoryCounters> memory;
  std::optional<std::int64_t> rss, points;
  Excluded excluded = Excluded::kNot;
  bool shares_victim_memory = false;
  Provenance provenance = Provenance::kKernelWalk;
  // The same process in the kernel log's table, where this row is of a better source: a check of it.
  struct Logged {
    std::optional<std::int32_t> oom_score_adj;
    std::optional<MemoryCounters> memory;
    std::optional<std::int64_t> rss;
  };
  std::optional<Logged> logged;
};

// Where the write-protect faults of a process of a forked family fell, as it was told right after the kill.
struct WrittenRegions {
  ProcessId process = kNoProcess;
  std::uint64_t region_bytes = 0;
  std::map<std::uint64_t, std::uint64_t> faults;  // by first address
  std::uint64_t elsewhere = 0;
};

struct ScanEnd {
  std::uint32_t scanned = 0, emitted = 0, dropped = 0;
  Provenance provenance = Provenance::kKernelWalk;
  bool report_cut = false;
};

// A memory cgroup's figures inside the kill, as the kernel's log prints them.
struct CgroupAtKill {
  CgroupName cgroup;
  CgroupSample sample;
};

struct Incident {
  std::size_t trace = 0;  // index into World::traces()
  std::uint64_t id = 0;   // within the trace
  std::uint64_t boot_ns = 0;
  std::int64_t wall_ns = 0;  // 0 = not known
  bool decided = false;      // an oom.kill was seen; without it only candidates or an end were
  std::string no_victim;     // why there is no victim, in oom.kill's words; empty = there is one
  Decision decision;
  std::vector<Kill> kills;                  // each process once
  std::vector<CandidateRow> candidates;     // in scan order, each process once
  std::vector<CgroupAtKill> cgroups;        // those whose figures were told with the kill
  std::optional<SystemMemory> memory;       // the machine's, likewise
  std::vector<WrittenRegions> regions;      // each process once
  std::vector<ScanEnd> ends;                // one for each provenance
  std::uint64_t candidates_over_limit = 0;  // not kept for World::Limits::candidates
};

}  // namespace oomtrace::model
