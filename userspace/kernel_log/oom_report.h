// SPDX-License-Identifier: Apache-2.0
// What one OOM report of a kernel log says, in the kernel's own units and words. Passive: the assembler fills it.
//
// "kb" members are as printed; "pages" are pages of the kernel that printed them; std::nullopt and "" mean that the log
// does not say it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernel_log/record.h"

namespace oomtrace::kernel_log {

template <class T>
using Opt = std::optional<T>;

// "X invoked oom-killer: ..." and the header line under it.
struct TriggerLine {
  bool invoked = false;
  std::string comm;
  Opt<std::uint32_t> tid;  // the header's PID is a thread's
  Opt<std::uint64_t> gfp_mask;
  std::string gfp_names;
  Opt<std::int32_t> order;
  Opt<std::int32_t> oom_score_adj;
  Opt<std::int32_t> oom_adj;  // before 2.6.36, -17 to 15
  std::string nodemask;       // of 4.x, "(null)" left out
  std::string cpuset;
  std::string mems_allowed;
};

// "oom-kill:constraint=..." (5.0 and later) or "Task in X killed as a result of limit of Y" (before).
struct ConstraintLine {
  bool seen = false;
  std::string constraint;
  std::string nodemask;
  std::string cpuset;
  std::string mems_allowed;
  std::string oom_memcg;
  std::string task_memcg;
  bool global_oom = false;
  std::string comm;
  Opt<std::uint32_t> pid;
  Opt<std::uint32_t> uid;
};

enum class KillMessage { kNone, kGlobal, kMemcg, kMempolicy, kCpuset };

// One "Killed process" line.
struct KillLine {
  KillMessage message = KillMessage::kNone;
  bool allocating_task = false;  // "(oom_kill_allocating_task)"
  bool sharers_follow =
      false;  // "Out of Memory:" of 2.4 and before 2.6.17: a line for each task of the victim's memory
  bool already_exiting = false;  // "OOM victim N is already exiting. Skip killing the task"
  bool group_member = false;
  std::uint32_t pid = 0;  // as printed: a thread's if the leader had exited
  std::string comm;
  Opt<std::uint32_t> uid;
  Opt<std::uint64_t> total_vm_kb, anon_rss_kb, file_rss_kb, shmem_rss_kb, pgtables_kb;
  Opt<std::int32_t> oom_score_adj;
  Stamp stamp;
};

// "Kill process N (C) score S or sacrifice child": the choice, before 5.0.
struct SelectionLine {
  KillMessage message = KillMessage::kNone;
  bool allocating_task = false;
  std::uint32_t pid = 0;
  std::string comm;
  Opt<std::uint64_t> score;
};

// One row of the task table. Page counts; `pgtables` is in bytes (pgtables_bytes) or pages (nr_ptes + nr_pmds).
struct TaskRow {
  std::uint32_t pid = 0;
  std::uint32_t tgid = 0;
  std::uint32_t uid = 0;
  Opt<std::uint64_t> total_vm, rss;
  Opt<std::int64_t> rss_anon, rss_file, rss_shmem;
  Opt<std::uint64_t> pgtables;
  bool pgtables_in_bytes = false;
  Opt<std::uint64_t> swapents;
  Opt<std::int32_t> oom_score_adj;
  std::string comm;
};

// memory.stat as the report prints it, bytes; and the counters above it, kB.
struct MemcgUsage {
  Opt<std::uint64_t> usage_kb, limit_kb, failcnt;
  bool unlimited = false;
};
struct MemcgStats {
  std::string path;
  std::vector<std::pair<std::string, std::uint64_t>> values;
};

// Mem-Info: pages as printed unless the name says otherwise.
struct MemInfo {
  bool heading = false;  // the line "Mem-Info:"
  bool seen = false;
  Opt<std::uint64_t> active_anon, inactive_anon, isolated_anon, active_file, inactive_file, unevictable, dirty,
      writeback;
  Opt<std::uint64_t> slab_reclaimable, slab_unreclaimable, mapped, shmem, pagetables, free;
  Opt<std::uint64_t> pagecache, swapcache, ram, reserved;
  Opt<std::uint64_t> free_swap_kb, total_swap_kb, kernel_stack_kb, mlocked_kb, balloon_kb, hugetlb_kb,
      node_active_anon_kb;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> node_present_kb;
};

enum class EndedBy { kCut, kKill, kNoKillable, kPanic, kIgnored };

struct OomReport {
  std::string host, boot_id, kernel_release, kernel_version;
  Opt<std::uint64_t> boot_swap_kb;  // swap added since a boot that the log shows from its first line
  Stamp start;
  TriggerLine trigger;
  std::vector<std::string> stack;
  bool stack_says_memcg = false;  // mem_cgroup_out_of_memory and its like among the frames
  bool x86_registers = false;
  ConstraintLine constraint;
  MemcgUsage memory, memsw, swap, kmem;
  std::vector<MemcgStats> stats;
  MemInfo mem_info;
  bool tasks_state = false;  // the line "Tasks state (memory values in pages):"
  bool table_header = false;
  bool table_splits_rss = false;
  bool table_seen = false;
  std::vector<TaskRow> rows;
  std::uint64_t rows_dropped = 0;
  Opt<SelectionLine> selection;
  std::vector<KillLine> kills;
  std::string oom_group;
  bool sysrq = false;
  bool bpf_policy = false;
  bool global_panic = false;  // panic words that only a global OOM prints
  std::string panic;
  EndedBy ended_by = EndedBy::kCut;
  Opt<std::uint64_t> buddy_page_kb;   // the smallest block of a zone's buddy line: the page size
  std::vector<std::uint32_t> reaped;  // pids, of reaper lines near to the report
};

}  // namespace oomtrace::kernel_log
