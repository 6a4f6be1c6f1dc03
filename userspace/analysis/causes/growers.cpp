// SPDX-License-Identifier: Apache-2.0
// Growth by unit and by group.
#include "analysis/causes/growers.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/lineage.h"
#include "model/role_signs.h"

namespace oomtrace::analysis {

std::vector<Grower> growers(const IncidentContext& incident) {
  std::vector<Grower> found;
  if (!incident.report.growth) return found;
  const model::World& world = incident.context.world;
  const std::size_t boot = boot_of(world, incident.seen);
  std::map<std::uint32_t, const model::Process*> alive;
  const std::uint64_t kill_ns = incident.seen.boot_ns;
  for (const model::Process* process : incident.context.processes.lived_in(boot, kill_ns, kill_ns)) {
    if (process->first_seen_ns <= kill_ns && process->alive_at(kill_ns)) alive[process->pid] = process;
  }
  for (const ProcessGrowth& growth : incident.report.growth->processes) {
    const auto process = alive.find(growth.pid);
    if (process != alive.end()) found.push_back({&growth, process->second});
  }
  return found;
}

std::map<model::ProcessId, UnitGrowth> grow_by_unit(const IncidentContext& incident) {
  std::map<model::ProcessId, UnitGrowth> units;
  for (const Grower& grower : growers(incident)) {
    UnitGrowth& unit = units[incident.context.units.of(grower.process->id)];
    unit.share += grower.growth->share;
    unit.grown_bytes += std::max<std::int64_t>(0, grower.growth->grown_bytes);
    if (!unit.top) unit.top = grower.process;  // rows come largest first
  }
  return units;
}

bool are_neighbors(const IncidentContext& incident, model::ProcessId one, model::ProcessId other) {
  if (one == other) return false;
  const Context& context = incident.context;
  const bool ranks = context.role(one) == model::Role::kTrainer && context.role(other) == model::Role::kTrainer;
  return !(ranks && context.jobs.root_of(one) == context.jobs.root_of(other));
}

std::optional<Group> leading_group(const IncidentContext& incident) {
  std::map<std::pair<model::ProcessId, bool>, Group> groups;
  for (const Grower& grower : growers(incident)) {
    if (grower.growth->grown_bytes <= 0) continue;
    const Units& units = incident.context.units;
    const model::ProcessId unit = units.of(grower.process->id);
    Group& group = groups[{unit, units.is_helper(grower.process->id)}];
    group.unit = unit;
    group.helpers = units.is_helper(grower.process->id);
    group.share += grower.growth->share;
    group.grown_bytes += grower.growth->grown_bytes;
    group.fresh_anon += grower.growth->fresh_anon_bytes.value_or(0);
    group.copied += grower.growth->cow_copied_bytes.value_or(0);
    group.shmem += grower.growth->shmem_bytes.value_or(0);
    group.file += grower.growth->file_bytes.value_or(0);
    group.swap += grower.growth->swap_bytes.value_or(0);
    group.members.push_back(grower);
  }
  const auto largest = std::max_element(groups.begin(), groups.end(), [](const auto& a, const auto& b) {
    return a.second.grown_bytes < b.second.grown_bytes;
  });
  if (largest == groups.end()) return std::nullopt;
  return largest->second;
}

bool started_empty(const IncidentContext& incident, const Group& group) {
  const model::World& world = incident.context.world;
  const model::Process* parent = world.parent_of(group.top());
  return !model::forked_without_exec(world, group.top()) || (parent && model::runs_fork_server(parent->command_line));
}

std::string named_group(const IncidentContext& incident, const Group& group) {
  const model::Process* unit = incident.context.world.find(group.unit);
  const bool one = group.top_stands_out() || group.members.size() == 1;
  if (!group.helpers || one || !unit) return named(group.top());
  return fmt::format("{} {}s of {}", group.members.size(), model::to_string(incident.context.role(group.top().id)),
                     named(*unit));
}

std::int64_t domain_size(const IncidentContext& incident) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 56;
  std::uint64_t size = incident.report.domain.limit_bytes.value_or(0);
  if (size == 0) size = host_of(incident.context.world, incident.seen).mem_total.value_or(0);
  return static_cast<std::int64_t>(std::min(size, kMost));
}

std::int64_t telling_growth(const IncidentContext& incident) {
  constexpr std::int64_t kLeast = 8 << 20;
  return std::max(kLeast, domain_size(incident) / 100);
}

const model::Process* chosen_victim(const IncidentContext& incident) {
  const model::Kill* chosen = chosen_kill(incident.seen);
  return chosen ? incident.context.world.find(chosen->victim.id) : nullptr;
}

}  // namespace oomtrace::analysis
