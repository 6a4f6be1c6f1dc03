// SPDX-License-Identifier: Apache-2.0
// World: what is forgotten, or not taken, so that memory stays within World::Limits.
#include <algorithm>
#include <iterator>
#include <vector>

#include "model/world.h"

namespace oomtrace::model {
namespace {

std::size_t bytes_of(const std::vector<std::string>& texts) {
  std::size_t bytes = 0;
  for (const std::string& text : texts) bytes += sizeof(std::string) + text.size();
  return bytes;
}

std::size_t details_of(const Process& process) {
  std::size_t bytes = process.executable.size() + process.command_line.size() + process.cgroup.path.size();
  for (const auto& entry : process.environment) bytes += sizeof(entry) + entry.first.size() + entry.second.size();
  bytes += bytes_of(process.libraries) + bytes_of(process.threads);
  return bytes + process.adj_changes.size() * sizeof(ScoreAdjChange) + process.signals.size() * sizeof(SignalSeen);
}

// Gives the memory back, as clear() does not.
template <class Container>
void drop(Container& container) {
  Container().swap(container);
}

}  // namespace

void World::count_details(Process& process) {
  const std::size_t now = details_of(process);
  process_bytes_ += now - process.details;
  const bool more = now > process.details;
  process.details = now;
  if (more && process_bytes_ > limits_.process_bytes) leave_out_details(process);
}

void World::leave_out_details(Process& process) {
  drop(process.environment);
  drop(process.libraries);
  drop(process.threads);
  drop(process.executable);
  drop(process.command_line);
  drop(process.adj_changes);
  drop(process.signals);
  drop(process.cgroup.path);
  process.command_line_truncated = true;
  process_bytes_ -= process.details;
  process.details = 0;
  ++beyond_.texts;
}

void World::told_cgroup(Process& process, const CgroupRef& ref, const At& at) {
  const std::size_t before = process.cgroup.path.size();
  told_cgroup(process.cgroup, ref, at);
  if (process.cgroup.path.size() != before) count_details(process);
}

void World::forget_beyond(std::deque<ProcessId>& queue, std::size_t limit) {
  while (queue.size() > limit) {
    const ProcessId id = queue.front();
    queue.pop_front();
    const Process* process = find(id);
    // An incident came to refer to it after its death.
    if (process && process->kept && &queue != &kept_dead_)
      kept_dead_.push_back(id);
    else
      forget(id);
  }
}

// Those that the last event brought: a flood does not drive out what was there before it.
void World::refuse_living_beyond() {
  for (auto last = processes_.end(); last != processes_.begin() && living() > limits_.living;) {
    --last;
    if (!last->second.alive()) continue;
    const ProcessId id = last->first;
    ++last;
    forget(id);
    --forgotten_;
    ++beyond_.processes;
  }
}

void World::forget(ProcessId id) {
  const auto found = processes_.find(id);
  if (found == processes_.end()) return;
  const Process& process = found->second;
  pids_.remove(process);
  if (process.parent == kNoProcess && process.parent_pid) {
    const auto waiting = awaiting_parent_.find({process.boot, *process.parent_pid});
    if (waiting != awaiting_parent_.end()) {
      waiting->second.erase(id);
      if (waiting->second.empty()) awaiting_parent_.erase(waiting);
    }
  }
  process_bytes_ -= process.details;
  process_points_ -= process.memory.points().size();
  by_id_.erase(id);
  processes_.erase(found);
  ++forgotten_;
}

// An eighth at a time, for looking at all of them: those whose memory was told least recently, or never.
void World::forget_cgroups() {
  std::vector<std::pair<std::uint64_t, CgroupKey>> by_told;
  for (const auto& [key, cgroup] : cgroups_) {
    const auto* last = cgroup.memory.last();
    by_told.emplace_back(last ? last->until_ns : 0, key);
  }
  const std::size_t going = std::max<std::size_t>(1, by_told.size() / 8);
  std::nth_element(by_told.begin(), by_told.begin() + static_cast<std::ptrdiff_t>(going - 1), by_told.end());
  by_told.resize(going);
  for (const auto& [told_ns, key] : by_told) {
    const auto found = cgroups_.find(key);
    system_points_ -= found->second.memory.points().size();
    cgroups_.erase(found);
  }
}

}  // namespace oomtrace::model
