// SPDX-License-Identifier: Apache-2.0
// EventStream: short words for making events in tests, in order, with times in seconds and sizes in MiB.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "oomtrace/event.h"

namespace oomtrace::test {

inline constexpr std::int64_t kMiB = 1024 * 1024;
inline constexpr std::uint64_t kSecond = 1'000'000'000;
inline constexpr std::uint32_t kPageSize = 4096;
inline constexpr std::int64_t kWallOffset = 1'774'362'000 * static_cast<std::int64_t>(kSecond);  // 2026-03-24T14:20:00Z

inline std::uint64_t seconds(double s) { return static_cast<std::uint64_t>(s * 1e9); }

inline ProcessRef ref(std::uint32_t pid, std::string_view comm, double start_s = 1) {
  return {pid, seconds(start_s), comm};
}

inline MemoryCounters mib(double anon, double file = 0, double shmem = 0, double swap = 0) {
  const auto bytes = [](double m) { return static_cast<std::int64_t>(m * static_cast<double>(kMiB)); };
  MemoryCounters counters;
  counters.anon = bytes(anon);
  counters.file = bytes(file);
  counters.shmem = bytes(shmem);
  counters.swap = bytes(swap);
  return counters;
}

// Counters that give a row of a kernel's task table: pages, and bytes of page tables.
inline MemoryCounters table_row(std::int64_t rss_pages, std::uint64_t pgtables_bytes, std::int64_t swap_pages = 0) {
  MemoryCounters counters;
  counters.anon = rss_pages * kPageSize;
  counters.swap = swap_pages * kPageSize;
  counters.pgtables = pgtables_bytes;
  return counters;
}

// Events of one trace, handed on as they are made.
class EventStream {
 public:
  explicit EventStream(std::function<void(const Event&)> sink) : sink_(std::move(sink)) {}

  EventStream& at(double s) {
    now_ns_ = seconds(s);
    return *this;
  }
  void set_trace(std::string_view trace_id, std::string_view boot_id = "boot-1") {
    trace_id_ = trace_id;
    boot_id_ = boot_id;
  }
  // Of the machine that boots now: its clock and its pages.
  void set_machine(std::int64_t wall_offset_ns, std::uint32_t page_size = kPageSize) {
    wall_offset_ns_ = wall_offset_ns;
    page_size_ = page_size;
  }
  // Somebody sets the clock by that many seconds, and the recorder tells it.
  void set_clock(double by_s) {
    const auto by_ns = static_cast<std::int64_t>(by_s * 1e9);
    wall_offset_ns_ += by_ns;
    emit(TraceClock{wall_offset_ns_, by_ns});
  }
  std::uint64_t now_ns() const { return now_ns_; }

  void emit(const Payload& payload) {
    Event event;
    event.boot_ns = now_ns_;
    event.seq = ++seq_;
    event.wall_ns = wall_offset_ns_ + static_cast<std::int64_t>(now_ns_);
    event.trace_id = trace_id_;
    event.boot_id = boot_id_;
    event.host_name = "trainer-7";
    event.payload = payload;
    sink_(event);
  }

  Opt<int> cgroup_version;                       // told by start()
  bool narrowed = false;                         // likewise
  std::vector<std::string_view> selected_kinds;  // likewise

  void start(std::string_view command = {}, double mem_total_mib = 8192, double swap_total_mib = 0) {
    TraceStart start;
    start.kernel_release = "6.18.44";
    start.arch = "x86_64";
    start.page_size = page_size_;
    start.cpus = 2;
    start.realtime_offset_ns = wall_offset_ns_;
    start.mem_total = static_cast<std::uint64_t>(mem_total_mib) * kMiB;
    start.swap_total = static_cast<std::uint64_t>(swap_total_mib) * kMiB;
    start.swappiness = 60;
    start.cgroup_version = cgroup_version;
    start.source = "live";
    start.command = command;
    start.narrowed = narrowed;
    start.selected_kinds = selected_kinds;
    emit(start);
  }
  void fork(const ProcessRef& parent, const ProcessRef& child, Opt<MemoryCounters> inherited = {},
            std::uint64_t clone_flags = 0) {
    ProcessFork fork;
    fork.parent = parent;
    fork.child = child;
    fork.clone_flags = clone_flags;
    fork.memory = inherited;
    emit(fork);
  }
  void exec(const ProcessRef& process, std::string_view executable, std::string_view command_line,
            Opt<std::uint32_t> parent_pid = {}) {
    ProcessExec exec;
    exec.process = process;
    exec.executable = executable;
    exec.command_line = command_line;
    exec.parent_pid = parent_pid;
    emit(exec);
  }
  void memory(const ProcessRef& process, const MemoryCounters& counters, std::uint64_t write_faults = 0,
              CgroupRef cgroup = {}, Opt<std::uint32_t> parent_pid = {}) {
    ProcessMemory memory;
    memory.process = process;
    memory.memory = counters;
    memory.faults.write_protect = write_faults;
    memory.cgroup = cgroup;
    memory.parent_pid = parent_pid;
    emit(memory);
  }
  // wait_status as wait(2) has it: 9 = killed by SIGKILL, 0x100 = exit(1).
  void exit(const ProcessRef& process, std::uint32_t wait_status = 0, bool oom_victim = false) {
    ProcessExit exit;
    exit.process = process;
    exit.wait_status = wait_status;
    exit.oom_victim = oom_victim;
    emit(exit);
  }
  void signal(const ProcessRef& sender, const ProcessRef& target, std::int32_t number = 9) {
    SignalKill signal;
    signal.sender = sender;
    signal.target = target;
    signal.signal = number;
    emit(signal);
  }
  void candidate(std::uint64_t incident, const ProcessRef& process, const MemoryCounters& counters,
                 std::int32_t oom_score_adj = 0, CgroupRef cgroup = {}, Excluded excluded = Excluded::kNot) {
    OomCandidate candidate;
    candidate.incident_id = incident;
    candidate.process = process;
    candidate.memory = counters;
    candidate.oom_score_adj = oom_score_adj;
    candidate.cgroup = cgroup;
    candidate.excluded = excluded;
    emit(candidate);
  }
  void end(std::uint64_t incident, std::uint32_t emitted, std::uint32_t dropped = 0) {
    emit(OomEnd{incident, emitted + dropped, emitted, dropped, Provenance::kKernelWalk, false});
  }
  void lost(std::string_view source, std::uint64_t count, std::string_view detail = {}) {
    emit(TraceLost{source, count, detail});
  }

 private:
  std::function<void(const Event&)> sink_;
  std::uint64_t now_ns_ = 0;
  std::int64_t wall_offset_ns_ = kWallOffset;
  std::uint32_t page_size_ = kPageSize;
  std::uint64_t seq_ = 0;
  std::string trace_id_ = "0123456789abcdef0123456789abcdef";
  std::string boot_id_ = "boot-1";
};

// A kill in a memcg: the decision and its victim.
inline OomKill memcg_kill(std::uint64_t incident, const ProcessRef& victim, const MemoryCounters& counters,
                          const CgroupRef& limiting, std::int64_t limit_bytes) {
  OomKill kill;
  kill.decision.incident_id = incident;
  kill.decision.domain = DomainKind::kMemcg;
  kill.decision.decided_by = DecidedBy::kKernel;
  kill.decision.constraint = "CONSTRAINT_MEMCG";
  kill.decision.cgroup = limiting;
  kill.decision.limit = static_cast<std::uint64_t>(limit_bytes);
  kill.decision.usage = static_cast<std::uint64_t>(limit_bytes);
  kill.decision.total_pages = static_cast<std::uint64_t>(limit_bytes) / kPageSize;
  kill.decision.trigger = victim;
  kill.decision.way = "mark_victim";
  kill.victim = victim;
  kill.memory = counters;
  kill.oom_score_adj = 0;
  kill.cgroup = limiting;
  return kill;
}

inline OomKill global_kill(std::uint64_t incident, const ProcessRef& victim, const MemoryCounters& counters,
                           std::uint64_t total_pages) {
  OomKill kill;
  kill.decision.incident_id = incident;
  kill.decision.domain = DomainKind::kGlobal;
  kill.decision.decided_by = DecidedBy::kKernel;
  kill.decision.constraint = "CONSTRAINT_NONE";
  kill.decision.total_pages = total_pages;
  kill.decision.trigger = victim;
  kill.decision.way = "mark_victim";
  kill.victim = victim;
  kill.memory = counters;
  kill.oom_score_adj = 0;
  return kill;
}

}  // namespace oomtrace::test
