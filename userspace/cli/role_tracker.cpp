// SPDX-License-Identifier: Apache-2.0
// Sums of what each process added, and roles from time to time.
#include "cli/role_tracker.h"

#include <algorithm>
#include <variant>

#include "model/roles.h"

namespace oomtrace::cli {

namespace {

// Nothing of the past is asked for. The dead stay until the next figures(), for the role they had.
constexpr model::World::Limits kLimits{.process_samples = 8,
                                       .system_samples = 8,
                                       .quiet_dead = 2048,
                                       .failed_dead = 2048,
                                       .cgroups = 64,
                                       .candidates = 0,
                                       .text = 1024,
                                       .list = 64};

std::uint64_t positive(std::int64_t bytes) { return static_cast<std::uint64_t>(std::max<std::int64_t>(bytes, 0)); }

std::uint64_t resident_of(const MemoryCounters& memory) {
  return positive(memory.anon) + positive(memory.file) + positive(memory.shmem);
}

std::uint64_t total_of(const MemoryCounters& memory) { return resident_of(memory) + positive(memory.swap); }

}  // namespace

RoleTracker::RoleTracker() : world_(kLimits) {}

const model::Process* RoleTracker::find(const ProcessRef& process) const {
  const model::Process* found = world_.by_pid(0, process.pid);
  return found != nullptr && found->start_boot_ns == process.start_boot_ns ? found : nullptr;
}

// What a process had when it was first seen is nobody's growth.
RoleTracker::Growth& RoleTracker::growth_of(const model::Process& process, const MemoryCounters& memory) {
  return growth_.try_emplace(process.id, Growth{total_of(memory), 0, 0}).first->second;
}

void RoleTracker::told(const ProcessRef& ref, const std::optional<MemoryCounters>& memory) {
  const model::Process* process = find(ref);
  if (process == nullptr || !memory) return;
  Growth& growth = growth_of(*process, *memory);
  const std::uint64_t total = total_of(*memory);
  if (total > growth.total) growth.unsettled += total - growth.total;
  growth.total = total;
  growth.resident = resident_of(*memory);
}

void RoleTracker::apply(const Event& event) {
  if (const auto* exit = std::get_if<ProcessExit>(&event.payload)) {
    told(exit->process, exit->memory);
    world_.apply(event);
  } else if (const auto* memory = std::get_if<ProcessMemory>(&event.payload)) {
    world_.apply(event);
    told(memory->process, memory->memory);
  } else if (const auto* fork = std::get_if<ProcessFork>(&event.payload)) {
    world_.apply(event);
    const model::Process* child = find(fork->child);
    if (child != nullptr && fork->memory) growth_of(*child, *fork->memory);
  } else if (const auto* exec = std::get_if<ProcessExec>(&event.payload)) {
    world_.apply(event);
    // A new address space: all of it is newly filled.
    if (const model::Process* process = find(exec->process)) growth_of(*process, {}).total = 0;
  } else if (std::holds_alternative<ProcessInfo>(event.payload)) {
    world_.apply(event);
  }
}

std::array<RoleFigures, kRoles.size()> RoleTracker::figures() {
  std::array<RoleFigures, kRoles.size()> figures{};
  const model::Roles roles(world_);
  for (auto next = growth_.begin(); next != growth_.end();) {
    auto& [id, growth] = *next;
    const auto role = static_cast<std::size_t>(roles.of(id).role);
    grown_[role] += growth.unsettled;
    growth.unsettled = 0;
    const model::Process* process = world_.find(id);
    if (process == nullptr || !process->alive()) {
      next = growth_.erase(next);
      continue;
    }
    ++figures[role].processes;
    figures[role].resident_bytes += growth.resident;
    ++next;
  }
  for (std::size_t i = 0; i < figures.size(); ++i) figures[i].grown_bytes = grown_[i];
  return figures;
}

}  // namespace oomtrace::cli
