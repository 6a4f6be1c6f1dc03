// SPDX-License-Identifier: Apache-2.0
// What process.* events change: lineage, names, memory over time, end.
#include <algorithm>
#include <limits>

#include "model/lineage.h"
#include "model/world.h"

namespace oomtrace::model {
namespace {

// include/uapi/linux/sched.h
constexpr std::uint64_t kCloneThread = 0x00010000;

std::uint64_t write_faults(const FaultCounts& faults) {
  const std::uint64_t sum = faults.write_protect + faults.kernel_write_protect;
  return sum < faults.write_protect ? std::numeric_limits<std::uint64_t>::max() : sum;
}

std::int64_t rss_of(const MemoryCounters& counters) {
  // Hostile figures may be near the ends of the range: doubles do not overflow.
  const double sum =
      static_cast<double>(counters.anon) + static_cast<double>(counters.file) + static_cast<double>(counters.shmem);
  return sum > 9e18 ? std::numeric_limits<std::int64_t>::max() : sum < 0 ? 0 : static_cast<std::int64_t>(sum);
}

// What one source leaves out holds on from what another told.
MemoryCounters completed(MemoryCounters told, const MemoryCounters& before) {
  const auto take = [&](MemoryField bit, auto& to, const auto& from) {
    if ((told.missing & bit) && !(before.missing & bit)) {
      to = from;
      told.missing = static_cast<std::uint8_t>(told.missing & ~bit);
    }
  };
  take(kMemoryAnon, told.anon, before.anon);
  take(kMemoryFile, told.file, before.file);
  take(kMemoryShmem, told.shmem, before.shmem);
  take(kMemorySwap, told.swap, before.swap);
  take(kMemoryPgtables, told.pgtables, before.pgtables);
  take(kMemoryTotalVm, told.total_vm, before.total_vm);
  return told;
}

}  // namespace

void World::on(const ProcessFork& fork, const At& at) {
  if (fork.clone_flags & kCloneThread) return;
  Process& parent = resolve(fork.parent, at);
  Process& child = resolve(fork.child, at);
  if (&child == &parent) return;
  child.origin = Origin::kFork;
  child.clone_flags = fork.clone_flags;
  child.parent_pid = parent.pid;
  if (child.parent == kNoProcess) link(child, parent);
  if (fork.uid)
    child.uid = fork.uid;
  else if (!child.uid)
    child.uid = parent.uid;
  if (!child.oom_score_adj) child.oom_score_adj = parent.oom_score_adj;
  if (!child.cgroup.known()) child.cgroup = parent.cgroup;
  told_cgroup(child, fork.cgroup, at);
  if (child.execs > 0) return count_details(child);
  if (child.command_line.empty() && parent.details > 0 && process_bytes_ + parent.details > limits_.process_bytes) {
    ++beyond_.texts;
  } else if (child.command_line.empty()) {
    child.executable = parent.executable;
    child.command_line = parent.command_line;
    child.command_line_truncated = parent.command_line_truncated;
    child.environment = parent.environment;
    child.libraries = parent.libraries;
  }
  count_details(child);
  if (shares_memory(child)) return;
  if (fork.memory) {
    child.inherited = fork.memory;
    // The parent's own last figures may be older. What a fork leaves out (shmem, much of the file pages) says nothing.
    MemoryCounters parents = *fork.memory;
    parents.missing =
        static_cast<std::uint8_t>(parents.missing | kMemoryFile | kMemoryShmem | kMemoryPgtables | kMemoryTotalVm);
    if (!parent.memory.empty()) sample(parent, &parents, nullptr, at.boot_ns);
  } else if (const auto* last = parent.memory.last()) {
    child.inherited = last->sample.counters;
  }
  if (child.memory.empty() && child.inherited) sample(child, &*child.inherited, nullptr, at.boot_ns);
}

void World::on(const ProcessExec& exec, const At& at) {
  Process& process = resolve(exec.process, at);
  told_parent(process, exec.parent_pid, at);
  if (exec.uid) process.uid = exec.uid;
  told_cgroup(process, exec.cgroup, at);
  ++process.execs;
  process.exec_ns = at.boot_ns;
  if (!process.first_exec_ns) process.first_exec_ns = at.boot_ns;
  process.executable = clip(exec.executable);
  process.command_line = clip(exec.command_line);
  process.command_line_truncated = exec.command_line_truncated || exec.command_line.size() > limits_.text;
  process.environment.clear();
  process.libraries.clear();
  process.threads.clear();
  count_details(process);
  // The old address space is gone, and the new one is nearly empty.
  process.shared_write_faults = 0;
  if (!process.memory.empty()) {
    const MemoryCounters none;
    sample(process, &none, nullptr, at.boot_ns);
  }
}

void World::on(const ProcessExit& exit, const At& at) {
  Process& process = resolve_past(exit.process, at);
  if (!process.alive() && process.wait_status) return;
  told_parent(process, exit.parent_pid, at);
  sample(process, exit.memory ? &*exit.memory : nullptr, &exit.faults, at.boot_ns);
  process.wait_status = exit.wait_status;
  process.address_space_limit = exit.address_space_limit;
  process.oom_victim = process.oom_victim || exit.oom_victim;
  end(process, at.boot_ns);
}

void World::on(const ProcessMemory& memory, const At& at) {
  Process& process = resolve(memory.process, at);
  told_parent(process, memory.parent_pid, at);
  if (memory.uid) process.uid = memory.uid;
  if (memory.oom_score_adj) process.oom_score_adj = memory.oom_score_adj;
  told_cgroup(process, memory.cgroup, at);
  sample(process, memory.memory ? &*memory.memory : nullptr, &memory.faults, at.boot_ns);
}

void World::on(const ProcessInfo& info, const At& at) {
  Process& process = resolve(info.process, at);
  told_parent(process, info.parent_pid, at);
  if (info.uid) process.uid = info.uid;
  // Read from /proc some time before this event: the process may have moved and called exec since. What the kernel told
  // of the process then is newer.
  if (!process.cgroup.known()) told_cgroup(process, info.cgroup, at);
  if (!info.executable.empty()) process.executable = clip(info.executable);
  const bool told_by_exec = process.execs > 0 && !process.command_line.empty() && !process.command_line_truncated;
  if (!info.command_line.empty() && !told_by_exec) {
    process.command_line = clip(info.command_line);
    process.command_line_truncated = info.command_line_truncated || info.command_line.size() > limits_.text;
  }
  const auto copy = [this](const std::vector<std::string_view>& from, std::vector<std::string>& to) {
    if (from.empty()) return;
    to.clear();
    for (std::size_t i = 0; i < std::min(from.size(), limits_.list); ++i) to.push_back(clip(from[i]));
  };
  copy(info.libraries, process.libraries);
  copy(info.threads, process.threads);
  if (!info.environment.empty()) {
    process.environment.clear();
    for (std::size_t i = 0; i < std::min(info.environment.size(), limits_.list); ++i) {
      process.environment.emplace_back(clip(info.environment[i].first), clip(info.environment[i].second));
    }
  }
  count_details(process);
}

void World::on(const OomScoreAdj& change, const At& at) {
  constexpr std::size_t kKept = 8;
  Process& process = resolve(change.process, at);
  process.oom_score_adj = change.oom_score_adj;
  if (process.adj_changes.size() == kKept) process.adj_changes.erase(process.adj_changes.begin());
  process.adj_changes.push_back({at.boot_ns, name(change.by, at), change.oom_score_adj});
  count_details(process);
}

// Adds a point from what an event knows; the rest holds on from the point before.
void World::sample(Process& process, const MemoryCounters* counters, const FaultCounts* faults, std::uint64_t at_ns) {
  keep_if_it_lived(process);
  const auto* last = process.memory.last();
  if (!counters && !last) return;
  MemorySample next;
  if (last) next = last->sample;
  if (counters) next.counters = last ? completed(*counters, last->sample.counters) : *counters;
  if (faults) {
    const std::uint64_t before = write_faults(process.faults), now = write_faults(*faults);
    if (now > before) process.unclear_write_faults += now - before;
    settle_unclear_faults(process);
    process.faults = next.faults = *faults;
  }
  next.shared_write_faults = process.shared_write_faults;
  next.high_rss = rss_of(next.counters);
  const std::size_t before = process.memory.points().size();
  process.memory.add(at_ns, next, process_points_ < limits_.process_points);
  process_points_ += process.memory.points().size() - before;
}

// A process whose fork was lost is known by its command line, which comes later than its first figures.
void World::settle_unclear_faults(Process& process) {
  if (process.unclear_write_faults == 0) return;
  if (process.origin == Origin::kSeen && process.execs == 0 && process.command_line.empty()) return;
  if (relative_alive(process)) process.shared_write_faults += process.unclear_write_faults;
  process.unclear_write_faults = 0;
}

// Whether somebody else still maps what the process inherited or passed on at a fork.
bool World::relative_alive(const Process& process) const {
  constexpr std::size_t kLooked = 1024;
  const auto any = [&](const std::vector<ProcessId>& ids) {
    std::size_t looked = 0;
    for (auto id = ids.rbegin(); id != ids.rend() && looked < kLooked; ++id, ++looked) {
      const Process* other = *id != process.id ? find(*id) : nullptr;
      if (other && other->alive() && forked_without_exec(*this, *other)) return true;
    }
    return false;
  };
  if (any(process.children)) return true;
  const Process* parent = forked_without_exec(*this, process) ? parent_of(process) : nullptr;
  if (!parent) return false;
  // A parent's exec before the fork does not matter; one after it gives its pages up.
  if (parent->alive() && (!parent->exec_ns || *parent->exec_ns <= process.first_seen_ns)) return true;
  return any(parent->children);
}

}  // namespace oomtrace::model
