// SPDX-License-Identifier: Apache-2.0
// World: who is who. Finding, making, linking and forgetting processes, cgroups, traces and boots.
#include "model/world.h"

#include <algorithm>
#include <iterator>
#include <limits>

namespace oomtrace::model {

const Process* World::find(ProcessId id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

const Process* World::by_pid(std::size_t boot, std::uint32_t pid) const { return pids_.holder(boot, pid); }

const Cgroup* World::cgroup(std::size_t boot, std::uint64_t id) const {
  const auto found = cgroups_.find({boot, id});
  return found == cgroups_.end() ? nullptr : &found->second;
}

std::vector<const Cgroup*> World::cgroups(std::size_t boot) const {
  std::vector<const Cgroup*> found;
  for (const auto& [key, cgroup] : cgroups_)
    if (key.first == boot) found.push_back(&cgroup);
  for (const auto& [key, cgroup] : cgroups_by_path_)
    if (key.first == boot) found.push_back(&cgroup);
  return found;
}

const Cgroup* World::cgroup(std::size_t boot, std::string_view path) const {
  for (const auto& [key, cgroup] : cgroups_) {
    if (key.first == boot && cgroup.name.path == path) return &cgroup;
  }
  const auto found = cgroups_by_path_.find({boot, std::string(path)});
  return found == cgroups_by_path_.end() ? nullptr : &found->second;
}

std::string World::path_of(std::size_t boot, const CgroupName& name) const {
  if (!name.path.empty() || name.id == 0) return name.path;
  const Cgroup* known = cgroup(boot, name.id);
  return known ? known->name.path : std::string();
}

std::size_t World::boot_index(const Event& event) {
  const auto index_of = [&](std::string_view key) {
    const auto found = boot_by_id_.find(key);
    if (found != boot_by_id_.end()) return found->second;
    return boots_.size() < limits_.list ? add_boot(event, key) : boots_.size() - 1;
  };
  if (last_trace_ < traces_.size() && !event.boot_id.empty() && boots_[traces_[last_trace_].boot].id == event.boot_id)
    return traces_[last_trace_].boot;
  if (!event.boot_id.empty()) return index_of(event.boot_id.substr(0, limits_.text));
  // A log that does not say of which boot it is: at least it is not that of another log, or of another machine.
  std::string key("\0", 1);
  key.append(clip(event.trace_id)).append(1, '\0').append(clip(event.host_name));
  return index_of(key);
}

std::size_t World::add_boot(const Event& event, std::string_view key) {
  Boot& boot = boots_.emplace_back(limits_.system_samples);
  boot.id = clip(event.boot_id);
  boot.host_name = clip(event.host_name);
  boot.host_id = clip(event.host_id);
  boot_by_id_.emplace(std::string(key), boots_.size() - 1);
  return boots_.size() - 1;
}

// A log of several boots, or of several machines, is a trace of each.
std::size_t World::trace_index(const Event& event, std::size_t boot) {
  if (last_trace_ < traces_.size() && traces_[last_trace_].boot == boot && traces_[last_trace_].id == event.trace_id)
    return last_trace_;
  std::pair key(boot, clip(event.trace_id));
  if (const auto found = trace_by_id_.find(key); found != trace_by_id_.end()) return last_trace_ = found->second;
  if (traces_.size() >= limits_.list) return traces_.size() - 1;
  Trace& trace = traces_.emplace_back();
  trace.id = key.second;
  trace.boot = boot;
  trace.first_boot_ns = event.boot_ns;
  trace.first_wall_ns = event.wall_ns;
  trace_by_id_.emplace(std::move(key), traces_.size() - 1);
  return last_trace_ = traces_.size() - 1;
}

World::At World::locate(const Event& event) {
  At at;
  at.boot = boot_index(event);
  at.trace = trace_index(event, at.boot);
  at.boot_ns = event.boot_ns;
  at.wall_ns = event.wall_ns;
  Trace& trace = traces_[at.trace];
  if (event.wall_ns != 0) {
    if (trace.first_wall_ns == 0) trace.first_wall_ns = event.wall_ns;
    // The last of a recording is the last by its monotonic time: its clock may have been set back.
    const bool live = trace.host.source == "live";
    if (live && event.boot_ns >= trace.last_boot_ns)
      trace.last_wall_ns = event.wall_ns;
    else if (!live)
      trace.last_wall_ns = std::max(trace.last_wall_ns, event.wall_ns);
  }
  trace.last_boot_ns = std::max(trace.last_boot_ns, event.boot_ns);
  ++trace.events;
  return at;
}

Process& World::create(const ProcessRef& ref, const At& at) {
  const ProcessId id = next_id_++;
  Process& process = processes_.try_emplace(processes_.end(), id, limits_.process_samples)->second;
  process.id = id;
  process.boot = at.boot;
  process.incidents_lived = boots_[at.boot].incidents;
  process.pid = ref.pid;
  process.start_boot_ns = ref.start_boot_ns;
  process.first_seen_ns = at.boot_ns;
  process.comm = clip_comm(ref.comm);
  by_id_.emplace(id, &process);
  pids_.add_start(process);
  return process;
}

Process& World::resolve(const ProcessRef& ref, const At& at) {
  Process* holder = pids_.holder(at.boot, ref.pid);
  Process* found = nullptr;
  if (ref.start_boot_ns == 0) {
    if (holder && holder->alive()) found = holder;
  } else if (holder && holder->start_boot_ns == ref.start_boot_ns) {
    found = holder;
  } else {
    found = pids_.started_at(at.boot, ref.pid, ref.start_boot_ns);
    if (!found && holder && holder->alive() && holder->start_boot_ns == 0) {
      found = holder;
      found->start_boot_ns = ref.start_boot_ns;
      pids_.add_start(*found);
    }
  }
  if (found) {
    if (!ref.comm.empty() && found->comm != ref.comm) found->comm = clip_comm(ref.comm);
    return *found;
  }

  Process& made = create(ref, at);
  if (holder && holder->start_boot_ns > ref.start_boot_ns && ref.start_boot_ns != 0) {
    // A late word of an earlier holder of this pid: it cannot be alive any more.
    end(made, std::min(at.boot_ns, holder->start_boot_ns));
    return made;
  }
  if (holder && holder->alive()) end(*holder, ref.start_boot_ns ? std::min(ref.start_boot_ns, at.boot_ns) : at.boot_ns);
  pids_.set_holder(made);
  const auto waiting = awaiting_parent_.find({at.boot, ref.pid});
  if (waiting != awaiting_parent_.end()) {
    for (const ProcessId child : waiting->second) {
      const auto orphan = by_id_.find(child);
      if (orphan != by_id_.end() && orphan->second->parent == kNoProcess) link(*orphan->second, made);
    }
    awaiting_parent_.erase(waiting);
  }
  return made;
}

Process& World::resolve_past(const ProcessRef& ref, const At& at) {
  if (ref.start_boot_ns == 0) {
    Process* holder = pids_.holder(at.boot, ref.pid);
    const bool by_pid_alone = holder && holder->start_boot_ns == 0;
    // Told late, of a pid that another process may have by now: who had it at that time?
    Process* then = by_pid_alone ? nullptr : pids_.started_before(at.boot, ref.pid, at.boot_ns);
    if (then) return *then;
    if (holder) return *holder;
  }
  return resolve(ref, at);
}

ProcessName World::name_of(const ProcessRef& ref, const Process& process) const {
  return {process.id, ref.pid, process.start_boot_ns, ref.comm.empty() ? process.comm : clip_comm(ref.comm)};
}

ProcessName World::name(const ProcessRef& ref, const At& at) {
  if (ref.pid == 0) return {kNoProcess, 0, 0, clip_comm(ref.comm)};
  return name_of(ref, resolve_past(ref, at));
}

void World::end(Process& process, std::uint64_t at_ns) {
  if (process.exit_ns) return;
  keep_if_it_lived(process);
  process.exit_ns = at_ns;
  const bool quiet = !process.wait_status || *process.wait_status == 0;
  std::deque<ProcessId>& queue = process.kept ? kept_dead_ : quiet ? quiet_dead_ : failed_dead_;
  queue.push_back(process.id);
}

void World::link(Process& child, Process& parent) {
  if (child.id == parent.id) return;
  child.parent = parent.id;
  // Each look at all of them is paid for by as many births.
  if (parent.children.size() >= parent.next_purge) {
    std::erase_if(parent.children, [this](ProcessId id) { return find(id) == nullptr; });
    parent.next_purge = std::max(Process::kFirstPurge, 2 * parent.children.size());
  }
  parent.children.push_back(child.id);
}

void World::told_parent(Process& process, std::optional<std::uint32_t> parent_pid, const At& at) {
  if (!parent_pid) return;
  const bool first = !process.parent_pid;
  if (!first && *process.parent_pid != *parent_pid && !process.reparented_ns) process.reparented_ns = at.boot_ns;
  process.parent_pid = parent_pid;
  if (!first || process.parent != kNoProcess || *parent_pid == 0 || *parent_pid == process.pid) return;
  if (Process* parent = pids_.holder(process.boot, *parent_pid))
    link(process, *parent);
  else
    awaiting_parent_[{process.boot, *parent_pid}].insert(process.id);
}

Cgroup* World::cgroup_slot(std::size_t boot, const CgroupRef& ref) {
  if (ref.id == 0 && ref.path.empty()) return nullptr;
  const auto fill = [&](Cgroup& cgroup) {
    cgroup.name.id = ref.id;
    if (!ref.path.empty()) cgroup.name.path = cut(ref.path);
    return &cgroup;
  };
  if (ref.id == 0) {
    std::pair key{boot, clip(ref.path)};
    const auto found = cgroups_by_path_.find(key);
    if (found != cgroups_by_path_.end()) return &found->second;
    if (cgroups_by_path_.size() >= limits_.cgroups) {
      system_points_ -= cgroups_by_path_.begin()->second.memory.points().size();
      cgroups_by_path_.erase(cgroups_by_path_.begin());
    }
    return fill(cgroups_by_path_.try_emplace(std::move(key), limits_.system_samples).first->second);
  }
  const auto found = cgroups_.find({boot, ref.id});
  if (found != cgroups_.end()) {
    if (!ref.path.empty() && found->second.name.path != cut(ref.path)) found->second.name.path = cut(ref.path);
    return &found->second;
  }
  if (cgroups_.size() >= limits_.cgroups) forget_cgroups();
  return fill(cgroups_.try_emplace({boot, ref.id}, limits_.system_samples).first->second);
}

void World::told_cgroup(CgroupName& name, const CgroupRef& ref, const At& at) {
  if (ref.id == 0 && ref.path.empty()) return;
  if (ref.id != 0) {
    if (name.id != ref.id) name.path.clear();
    name.id = ref.id;
    cgroup_slot(at.boot, ref);
  }
  if (!ref.path.empty()) {
    name.path = cut(ref.path);
  } else if (name.path.empty()) {
    name.path = path_of(at.boot, name);
  }
}

void World::keep(ProcessId id) {
  const auto found = by_id_.find(id);
  if (found != by_id_.end()) found->second->kept = true;
}

// Who lives at an incident is kept, with its figures of then. That is made up for when the process changes next: at
// each incident there may be any number that live.
void World::keep_if_it_lived(Process& process) {
  const std::uint64_t seen = boots_[process.boot].incidents;
  if (process.incidents_lived == seen) return;
  process.incidents_lived = seen;
  if (!process.alive()) return;
  process.kept = true;
  process.memory.pin_last();
}

}  // namespace oomtrace::model
