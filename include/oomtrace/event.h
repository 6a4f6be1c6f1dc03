// SPDX-License-Identifier: Apache-2.0
// Events: what oomtrace observed, one observation each. Passive types; the wire form is docs/events.md.
//
// Text members are views into the buffer that the event was decoded from (a ring record or a JSON line) and live as
// long as it does; whoever keeps an event copies what it needs. Sizes are bytes, times CLOCK_BOOTTIME nanoseconds.
// std::nullopt means "not known", never zero.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "oomtrace/inline_vector.h"

namespace oomtrace {

inline constexpr std::string_view kEventSchema = "oomtrace.event/1";

template <class T>
using Opt = std::optional<T>;

// Identity is pid (a tgid, in the initial pid namespace) and start time; the boot id is the trace's.
struct ProcessRef {
  std::uint32_t pid = 0;
  std::uint64_t start_boot_ns = 0;  // task_struct.start_boottime; 0 = not known (kernel logs)
  std::string_view comm;            // of the group leader, at most 15 bytes, any bytes

  bool operator==(const ProcessRef&) const = default;
};

// Members of MemoryCounters as bits.
enum MemoryField : std::uint8_t {
  kMemoryAnon = 1,
  kMemoryFile = 2,
  kMemoryShmem = 4,
  kMemorySwap = 8,
  kMemoryPgtables = 16,
  kMemoryTotalVm = 32,
};

// mm_struct's counters in bytes, as the source read them; negative values of an instant are kept.
struct MemoryCounters {
  std::int64_t anon = 0;
  std::int64_t file = 0;
  std::int64_t shmem = 0;
  std::int64_t swap = 0;
  std::uint64_t pgtables = 0;
  std::uint64_t total_vm = 0;
  Opt<std::uint64_t> hiwater_rss;
  std::uint8_t missing = 0;  // MemoryField bits: what the source does not tell (kernel logs); the member is 0 then

  bool operator==(const MemoryCounters&) const = default;
};

// Page faults of a process since it was first seen: events, not pages (a huge page is one fault).
struct FaultCounts {
  std::uint64_t fresh = 0;          // user mode, page absent
  std::uint64_t write_protect = 0;  // user mode, write to a present page: copies, reuse, zero-page upgrades
  std::uint64_t kernel_fresh = 0;   // the same two taken in kernel mode
  std::uint64_t kernel_write_protect = 0;

  bool operator==(const FaultCounts&) const = default;
};

struct CgroupRef {
  std::uint64_t id = 0;   // kernfs node id of the directory in the memory controller's hierarchy; 0 = not known
  std::string_view path;  // relative to the hierarchy, "/" for its root; empty = not known

  bool operator==(const CgroupRef&) const = default;
};

enum class DomainKind { kUnknown, kGlobal, kMemcg, kCpuset, kMempolicy, kSysrq };
enum class DecidedBy { kUnknown, kKernel, kAllocatingTask, kSysrq, kBpf };
// How candidates are known, best first.
enum class Provenance { kKernelExact, kKernelWalk, kKernelLog, kCensus, kReconstructed };
enum class Excluded { kNot, kAdjMin, kInit, kKernelThread, kOtherDomain, kAlreadyDying, kInVfork, kNoMemory };
enum class MemoryReason { kMoved, kCensus, kSnapshot, kKill };

// One fact of the attach plan: the way taken to it, and why no better one.
struct PlanRow {
  std::string_view fact;
  std::string_view way;             // taken; empty = none
  std::string_view why_not_better;  // empty where the best way was taken
  bool operator==(const PlanRow&) const = default;
};

// --- trace.* ---------------------------------------------------------------------------------------------------------

// First line of every file and segment: the host facts that a report needs.
struct TraceStart {
  std::string_view tool_version;
  std::string_view kernel_release;  // uname -r; empty = the log does not say
  std::string_view kernel_version;  // uname -v
  std::string_view arch;
  std::uint32_t page_size = 0;
  std::uint32_t cpus = 0;
  std::int64_t realtime_offset_ns = 0;  // CLOCK_REALTIME - CLOCK_BOOTTIME, until trace.clock tells another
  Opt<std::uint64_t> mem_total;
  Opt<std::uint64_t> swap_total;
  Opt<int> cgroup_version;              // of the memory controller
  Opt<std::int64_t> overcommit_memory;  // vm.* sysctls
  Opt<std::int64_t> overcommit_ratio;
  Opt<std::uint64_t> overcommit_kbytes;
  Opt<std::int64_t> panic_on_oom;
  Opt<std::int64_t> oom_kill_allocating_task;
  Opt<std::int64_t> oom_dump_tasks;
  Opt<std::int64_t> swappiness;
  std::string_view source;                       // "live" or "kernel_log"
  std::string_view command;                      // of `record -- CMD`, escaped for a shell; empty without
  bool narrowed = false;                         // to chosen processes or cgroups: of others there are the kills only
  std::vector<std::string_view> selected_kinds;  // that a stream was narrowed to, as asked for; empty = every kind
  std::vector<PlanRow> plan;
  std::vector<std::string_view> warnings;  // what was missing and went on without
};

struct TraceStop {
  std::string_view reason;  // "signal", "command_exited", "error", "end_of_input"
  Opt<int> command_status;  // wait(2) status of CMD
};

// Something was not seen. `count` is what was lost since the previous trace.lost of the same source.
struct TraceLost {
  std::string_view
      source;  // "ring.kill", "ring.lifecycle", "ring.growth", "queue", "program.<name>", "process_table", "reorder"
  std::uint64_t count = 0;
  std::string_view detail;
};

// Somebody set the machine's clock: from here on times of the wall are by the new offset.
struct TraceClock {
  std::int64_t realtime_offset_ns = 0;  // CLOCK_REALTIME - CLOCK_BOOTTIME
  std::int64_t set_by_ns = 0;           // that offset less the one before; negative: the clock was set back
};

// --- process.* -------------------------------------------------------------------------------------------------------

struct ProcessFork {
  ProcessRef parent;
  ProcessRef child;
  std::uint64_t clone_flags = 0;  // include/uapi/linux/sched.h, CLONE_*
  Opt<std::uint32_t> uid;
  CgroupRef cgroup;
  Opt<MemoryCounters> memory;  // inherited by the child
};

struct ProcessExec {
  ProcessRef process;
  Opt<std::uint32_t> parent_pid;
  Opt<std::uint32_t> uid;
  CgroupRef cgroup;
  std::string_view executable;    // binprm's filename as given to execve
  std::string_view command_line;  // arguments joined by one blank; redacted
  bool command_line_truncated = false;
};

struct ProcessExit {
  ProcessRef process;
  Opt<std::uint32_t> parent_pid;
  Opt<std::uint32_t> wait_status;  // form of wait(2): low 7 bits signal, 0x80 core, next 8 exit code
  bool oom_victim = false;         // signal_struct.oom_mm was set
  Opt<MemoryCounters> memory;
  FaultCounts faults;
  Opt<std::uint64_t> address_space_limit;  // RLIMIT_AS; nullopt: none, or not known
};

struct ProcessMemory {
  ProcessRef process;
  Opt<std::uint32_t> parent_pid;
  Opt<std::uint32_t> uid;
  Opt<std::int32_t> oom_score_adj;
  CgroupRef cgroup;
  Opt<MemoryCounters> memory;
  FaultCounts faults;
  MemoryReason reason = MemoryReason::kMoved;
};

// Read from /proc once for a process that matters.
struct ProcessInfo {
  ProcessRef process;
  Opt<std::uint32_t> parent_pid;
  Opt<std::uint32_t> uid;
  CgroupRef cgroup;
  std::string_view executable;    // readlink of /proc/PID/exe
  std::string_view command_line;  // redacted
  bool command_line_truncated = false;
  std::vector<std::pair<std::string_view, std::string_view>> environment;  // only names of the fixed list
  std::vector<std::string_view> libraries;  // base names of mapped libraries and devices that tell a role
  std::vector<std::string_view> threads;    // distinct thread names
};

// --- oom.*, signal.* -------------------------------------------------------------------------------------------------

// Frames kept of a trigger's stack: as many as abi.h's records hold (OOMTRACE_STACK_DEPTH).
inline constexpr std::size_t kMaxStackFrames = 32;

// The decision as far as the source knows it; the same in all events of one incident.
struct OomDecision {
  std::uint64_t incident_id = 0;  // counts decisions of the trace from 1
  DomainKind domain = DomainKind::kUnknown;
  DecidedBy decided_by = DecidedBy::kUnknown;
  std::string_view constraint;  // "CONSTRAINT_MEMCG" and so on; empty = not known
  CgroupRef cgroup;             // whose limit was hit (memcg domain)
  Opt<std::uint64_t> limit;     // bytes
  Opt<std::uint64_t> usage;
  Opt<std::uint64_t> swap_limit;    // nullopt: unlimited or not known
  Opt<std::uint64_t> total_pages;   // oom_control.totalpages
  Opt<std::int64_t> chosen_points;  // the kernel's own
  std::string_view nodes;           // node list of the constraint; empty = none or not known
  ProcessRef trigger;
  Opt<std::uint32_t> trigger_tid;
  CgroupRef trigger_cgroup;
  Opt<std::int32_t> trigger_oom_score_adj;
  Opt<std::uint64_t> gfp_mask;
  std::string_view gfp_names;  // "GFP_KERNEL|__GFP_ZERO"; empty = not known
  Opt<std::int32_t> order;
  InlineVector<std::string_view, kMaxStackFrames> stack;  // kernel functions, innermost first; the outermost are cut
  std::string_view way;        // how the decision was seen: "mark_victim", "oom_kill_process", "kernel_log"
  std::string_view oom_group;  // cgroup that died as a whole for its memory.oom.group; empty = none or not known
};

struct OomKill {
  OomDecision decision;
  ProcessRef victim;
  Opt<std::uint32_t> parent_pid;
  Opt<std::uint32_t> uid;
  Opt<std::int32_t> oom_score_adj;
  CgroupRef cgroup;
  Opt<MemoryCounters> memory;
  Opt<std::int64_t> points;
  Opt<std::uint64_t> score;               // old kernels' "score N or sacrifice child"
  bool group_member = false;              // killed for memory.oom.group
  bool already_dying = false;             // marked, not newly killed
  Opt<std::uint32_t> sacrificed_for_pid;  // old kernels: the chosen parent of a child that was killed instead
  // Kernel logs: why the incident has no victim (victim.pid is 0 then, and this is its only kill event):
  // "no_killable_process", "panic", "already_exiting", "report_cut"; empty = the victim was killed.
  std::string_view no_victim;
};

struct OomCandidate {
  std::uint64_t incident_id = 0;
  ProcessRef process;
  Opt<std::uint32_t> tid;  // thread that the source looked at, where it differs
  Opt<std::uint32_t> parent_pid;
  Opt<std::uint32_t> uid;
  Opt<std::int32_t> oom_score_adj;
  CgroupRef cgroup;
  Opt<MemoryCounters> memory;
  Opt<std::int64_t> rss;  // bytes, where the source has only the sum (memory.missing has its parts)
  Opt<std::int64_t> points;
  Excluded excluded = Excluded::kNot;
  bool shares_victim_memory = false;
  Provenance provenance = Provenance::kKernelWalk;
};

// Ends an incident's candidates: what the scan covered.
struct OomEnd {
  std::uint64_t incident_id = 0;
  std::uint32_t scanned = 0;
  std::uint32_t emitted = 0;
  std::uint32_t dropped = 0;
  Provenance provenance = Provenance::kKernelWalk;
  bool report_cut = false;  // kernel log: the report is incomplete
};

struct OomReaped {
  ProcessRef process;
  Opt<MemoryCounters> memory;  // left after reaping
};

struct OomScoreAdj {
  ProcessRef process;
  ProcessRef by;
  std::int32_t oom_score_adj = 0;
};

// A fatal signal that somebody sent.
struct SignalKill {
  ProcessRef sender;
  ProcessRef target;
  std::int32_t signal = 9;
  Opt<std::int32_t> si_code;
  bool from_kernel = false;  // SEND_SIG_PRIV
  bool in_oom_kill = false;  // sent inside __oom_kill_process
  Opt<std::uint64_t> incident_id;
};

// --- system.*, cgroup.*, kernel.* ------------------------------------------------------------------------------------

// /proc/meminfo and /proc/vmstat, bytes; nullopt where the kernel has no such line.
struct SystemMemory {
  Opt<std::uint64_t> total, free, available, buffers, cached, swap_cached, active, inactive, unevictable, mlocked;
  Opt<std::uint64_t> anon, mapped, shmem, slab_reclaimable, slab_unreclaimable, kernel_stack, page_tables, percpu;
  Opt<std::uint64_t> swap_total, swap_free, dirty, writeback, committed, commit_limit, hugetlb, vmalloc_used;
  Opt<std::uint64_t> balloon;      // inflate - deflate of vmstat, in bytes
  Opt<std::uint64_t> oom_kills;    // vmstat oom_kill
  Opt<std::uint64_t> incident_id;  // told with that kill: Mem-Info of the kernel's log
};

struct Pressure {
  double avg10 = 0, avg60 = 0, avg300 = 0;  // percent of wall time
  std::uint64_t total_us = 0;
};
struct SystemPressure {
  std::string_view resource;  // "memory", "io", "cpu"
  Opt<Pressure> some;
  Opt<Pressure> full;
};

struct CgroupMemory {
  CgroupRef cgroup;
  int version = 2;
  Opt<std::uint64_t> usage, limit, high, swap_usage, swap_limit, peak;  // nullopt limit: none
  Opt<std::uint64_t> anon, file, shmem, kernel, slab, page_tables,
      file_mapped;  // file: with shmem, as memory.stat has it
  Opt<std::uint64_t> oom_kills;
  Opt<std::uint64_t> incident_id;  // read inside that kill
};

struct SystemMount {
  std::string_view mount_point;
  std::string_view fstype;
  Opt<std::uint64_t> size, used;
};
struct SystemMounts {
  Opt<std::uint32_t> pid;           // the process that sees them, in its mount namespace; nullopt: the recorder
  std::vector<SystemMount> mounts;  // tmpfs only
};

struct KernelLog {
  std::string_view message;
  Opt<std::uint64_t> kmsg_seq;
  Opt<std::uint32_t> priority;
  Opt<std::uint64_t> timestamp_us;  // printk's clock
};

// Where write-protect faults of a process fell, by ranges of its addresses.
struct WrittenRegion {
  std::uint64_t address = 0;        // first one of the range
  std::uint64_t write_protect = 0;  // faults in it, user and kernel mode, since the process became one of a family
};

// Of a process of a forked family, told at a kill. A process has as many of these events as its regions need.
struct ProcessRegions {
  ProcessRef process;
  std::uint64_t region_bytes = 0;  // length of each range
  std::vector<WrittenRegion> regions;
  std::uint64_t elsewhere = 0;  // faults outside of all ranges that could be kept
  Opt<std::uint64_t> incident_id;
};

using Payload =
    std::variant<TraceStart, TraceStop, TraceLost, ProcessFork, ProcessExec, ProcessExit, ProcessMemory, ProcessInfo,
                 OomKill, OomCandidate, OomEnd, OomReaped, OomScoreAdj, SignalKill, SystemMemory, SystemPressure,
                 SystemMounts, CgroupMemory, KernelLog, ProcessRegions, TraceClock>;

struct Event {
  std::uint64_t boot_ns = 0;
  std::uint64_t seq = 0;      // given by the session, from 1, without gaps
  std::int64_t wall_ns = 0;   // CLOCK_REALTIME ns since the epoch, as the clock showed then: boot_ns + the offset
  std::string_view trace_id;  // 32 lower-case hex digits
  std::string_view boot_id;   // /proc/sys/kernel/random/boot_id
  std::string_view host_name;
  std::string_view host_id;  // /etc/machine-id
  bool truncated = false;    // read from a line that said so: its texts or lists had more
  Payload payload;
};

}  // namespace oomtrace
