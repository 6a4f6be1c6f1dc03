// SPDX-License-Identifier: Apache-2.0
// World::apply and what the trace, the host and its cgroups say of themselves.
#include <algorithm>
#include <variant>

#include "base/page_size.h"
#include "model/world.h"

namespace oomtrace::model {

void World::apply(const Event& event) {
  const At at = locate(event);
  std::visit([&](const auto& payload) { on(payload, at); }, event.payload);
  forget_beyond(quiet_dead_, limits_.quiet_dead);
  forget_beyond(failed_dead_, limits_.failed_dead);
  forget_beyond(kept_dead_, limits_.kept_dead);
  if (living() > limits_.living) refuse_living_beyond();
}

void World::on(const TraceStart& start, const At& at) {
  Trace& trace = traces_[at.trace];
  trace.started = true;
  HostFacts& host = trace.host;
  host.tool_version = clip(start.tool_version);
  host.kernel_release = clip(start.kernel_release);
  host.kernel_version = clip(start.kernel_version);
  host.arch = clip(start.arch);
  host.source = clip(start.source);
  host.command = clip(start.command);
  host.narrowed = start.narrowed;
  if (start.source == "live" && start.realtime_offset_ns != 0)
    boots_[at.boot].clock.note(at.boot_ns, start.realtime_offset_ns);
  host.page_size = sane_page_size(start.page_size);
  host.cpus = start.cpus;
  host.mem_total = start.mem_total;
  host.swap_total = start.swap_total;
  host.cgroup_version = start.cgroup_version;
  host.overcommit_memory = start.overcommit_memory;
  host.overcommit_ratio = start.overcommit_ratio;
  host.overcommit_kbytes = start.overcommit_kbytes;
  host.panic_on_oom = start.panic_on_oom;
  host.oom_kill_allocating_task = start.oom_kill_allocating_task;
  host.oom_dump_tasks = start.oom_dump_tasks;
  host.swappiness = start.swappiness;
  host.plan.clear();
  for (const PlanRow& row : start.plan) {
    if (host.plan.size() == limits_.list) break;
    host.plan.push_back({clip(row.fact), clip(row.way), clip(row.why_not_better)});
  }
  const auto copy = [this](const std::vector<std::string_view>& from, std::vector<std::string>& to) {
    to.clear();
    for (std::size_t i = 0; i < std::min(from.size(), limits_.list); ++i) to.push_back(clip(from[i]));
  };
  copy(start.warnings, host.warnings);
  copy(start.selected_kinds, host.selected_kinds);
}

// Before the first setting that is known it was what this one was set from.
void World::on(const TraceClock& set, const At& at) {
  ClockHistory& clock = boots_[at.boot].clock;
  std::int64_t before = 0;
  if (clock.empty() && !__builtin_sub_overflow(set.realtime_offset_ns, set.set_by_ns, &before)) clock.note(0, before);
  clock.note(at.boot_ns, set.realtime_offset_ns);
}

void World::on(const TraceStop& stop, const At& at) {
  traces_[at.trace].stop_reason = clip(stop.reason);
  traces_[at.trace].command_status = stop.command_status;
}

void World::on(const TraceLost& lost, const At& at) {
  constexpr std::size_t kMostSources = 32;  // a recorder has ten
  std::map<std::string, Loss>& losses = traces_[at.trace].losses;
  std::string source = clip(lost.source);
  if (losses.size() >= kMostSources && losses.find(source) == losses.end()) source = "other";
  Loss& loss = losses[source];
  loss.count = loss.count + lost.count < loss.count ? UINT64_MAX : loss.count + lost.count;
  if (!lost.detail.empty()) loss.detail = clip(lost.detail);
}

void World::on(const SystemMemory& memory, const At& at) {
  Timeline<SystemSample>& known = boots_[at.boot].memory;
  if (memory.incident_id) {
    if (const auto index = incident_index(*memory.incident_id, at)) incidents_[*index].memory = memory;
    if (!known.empty() && known.points().back().from_ns > at.boot_ns) return;
  }
  add_system_point(known, at.boot_ns, SystemSample{memory});
}

void World::on(const SystemPressure& pressure, const At& at) {
  constexpr std::size_t kMostResources = 8;  // the kernel has four
  auto& by_resource = boots_[at.boot].pressure;
  const std::string resource = clip(pressure.resource);
  if (by_resource.size() >= kMostResources && by_resource.find(resource) == by_resource.end()) return;
  add_system_point(by_resource.try_emplace(resource, limits_.system_samples).first->second, at.boot_ns,
                   PressureSample{pressure.some, pressure.full});
}

void World::on(const SystemMounts& mounts, const At& at) {
  if (mounts.pid) {
    Process* process = pids_.holder(at.boot, *mounts.pid);
    if (!process) return;
    for (const SystemMount& mount : mounts.mounts) {
      if (mount.mount_point != "/dev/shm") continue;
      process->shm_size = mount.size;
      if (mount.used) process->shm_used = std::max(process->shm_used.value_or(0), *mount.used);
    }
    return;
  }
  std::vector<Mount>& kept = boots_[at.boot].mounts;
  kept.clear();
  for (const SystemMount& mount : mounts.mounts) {
    if (kept.size() == limits_.list) break;
    kept.push_back({clip(mount.mount_point), clip(mount.fstype), mount.size, mount.used});
  }
}

void World::on(const CgroupMemory& memory, const At& at) {
  Cgroup* cgroup = cgroup_slot(at.boot, memory.cgroup);
  if (!cgroup) return;
  cgroup->version = memory.version;
  const CgroupSample sample{memory.usage, memory.limit,       memory.high,        memory.swap_usage, memory.swap_limit,
                            memory.peak,  memory.anon,        memory.file,        memory.shmem,      memory.kernel,
                            memory.slab,  memory.page_tables, memory.file_mapped, memory.oom_kills};
  if (memory.incident_id) {
    constexpr std::size_t kKept = 16;
    const auto index = incident_index(*memory.incident_id, at);
    if (index && incidents_[*index].cgroups.size() < kKept && !incidents_full()) {
      incidents_[*index].cgroups.push_back({cgroup->name, sample});
      incident_bytes_ += sizeof(CgroupAtKill) + cgroup->name.path.size();
    }
    // A recording's kernel log is read behind its events: what it says of the past does not go behind the present.
    if (!cgroup->memory.empty() && cgroup->memory.points().back().from_ns > at.boot_ns) return;
  }
  add_system_point(cgroup->memory, at.boot_ns, sample);
  if (memory.incident_id) cgroup->memory.pin_last();
}

// Raw lines are for readers of the stream; what they say of kills arrives as oom.* events.
void World::on(const KernelLog&, const At&) {}

}  // namespace oomtrace::model
