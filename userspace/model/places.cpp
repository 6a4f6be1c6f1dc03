// SPDX-License-Identifier: Apache-2.0
// Places: which rank of its job a process belongs to, and which worker of its rank it is.
#include "model/places.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include "model/lineage.h"
#include "model/rank_signs.h"
#include "model/role_signs.h"
#include "model/roles.h"
#include "model/world.h"

namespace oomtrace::model {
namespace {

// Workers of one loader start one after the other, as fast as the parent can be forked: page tables of a large one
// take a second; where the data set is pickled for each, tens of them. A pause beyond this, and beyond what the others
// took, begins another loader's.
constexpr std::uint64_t kPauseOfForks = 1'000'000'000, kPauseOfPickling = 60'000'000'000;
constexpr std::uint64_t kPauseOfSteps = 8;

bool same_rank(const Place& a, const Place& b) {
  return std::tie(a.rank, a.local_rank) == std::tie(b.rank, b.local_rank);
}

// Lightning's rank 0 is the user's own process and starts the others: they have ranks, it has none that can be read.
std::optional<Place> first_of_its_children(const World& world, const Roles& roles, const Process& process) {
  std::optional<Place> first;
  for (const ProcessId id : process.children) {
    const Process* child = world.find(id);
    if (!child || child->execs == 0 || roles.of(id).role != Role::kTrainer) continue;
    const Place place = told_place(*child);
    if (!place.local_rank) continue;
    if (*place.local_rank == 0) return std::nullopt;
    first = Place{std::nullopt, 0, place.world_size, std::nullopt};
    // Only of the first node's processes does the local rank tell the rank.
    if (place.rank == place.local_rank) first->rank = 0;
  }
  return first;
}

// RANK is inherited: of a trainer that another trainer with the same one started it says nothing.
Place trainer_place(const World& world, const Roles& roles, const Process& process) {
  const Place told = told_place(process);
  if (!told.rank && !told.local_rank) return first_of_its_children(world, roles, process).value_or(Place{});
  const Process* above = world.parent_of(process);
  for (int level = 0; above && level < kMaxAncestors; ++level) {
    if (roles.of(above->id).role == Role::kTrainer && same_rank(told_place(*above), told)) return {};
    above = world.parent_of(*above);
  }
  return told;
}

const Process* trainer_above(const World& world, const Roles& roles, const Process& process) {
  const Process* above = world.parent_of(process);
  for (int level = 0; above && level < kMaxAncestors; ++level) {
    if (roles.of(above->id).role == Role::kTrainer) return above;
    above = world.parent_of(*above);
  }
  return nullptr;
}

}  // namespace

Places::Places(const World& world, const Roles& roles) {
  for (const auto& [id, process] : world.processes()) {
    if (roles.of(id).role == Role::kTrainer) places_.emplace(id, trainer_place(world, roles, process));
  }
  for (const auto& [id, process] : world.processes()) {
    const Role role = roles.of(id).role;
    if (role != Role::kTrainer && role != Role::kLauncher) {
      if (const Process* trainer = trainer_above(world, roles, process)) places_.emplace(id, of(trainer->id));
    }
  }
  for (const auto& [id, process] : world.processes()) number_workers(world, roles, process);
}

void Places::number_workers(const World& world, const Roles& roles, const Process& parent) {
  std::vector<const Process*> workers;
  for (const ProcessId id : parent.children) {
    const Process* child = world.find(id);
    if (child && child->start_boot_ns != 0 && roles.of(id).role == Role::kDataloaderWorker) workers.push_back(child);
  }
  std::sort(workers.begin(), workers.end(), [](const Process* a, const Process* b) {
    return std::tie(a->start_boot_ns, a->id) < std::tie(b->start_boot_ns, b->id);
  });
  std::uint32_t number = 0;
  std::uint64_t last_start_ns = 0, longest_step_ns = 0, first_exit_ns = UINT64_MAX;
  for (const Process* worker : workers) {
    const std::uint64_t step_ns = worker->start_boot_ns - last_start_ns;
    const std::uint64_t pause_ns = is_spawn_child(worker->command_line) || runs_fork_server(worker->command_line)
                                       ? kPauseOfPickling
                                       : kPauseOfForks;
    // A loader starts all its workers before one of them ends.
    if (last_start_ns == 0 || step_ns > std::max(pause_ns, kPauseOfSteps * longest_step_ns) ||
        first_exit_ns <= worker->start_boot_ns) {
      number = 0;
      longest_step_ns = 0;
      first_exit_ns = UINT64_MAX;
    } else {
      longest_step_ns = std::max(longest_step_ns, step_ns);
    }
    last_start_ns = worker->start_boot_ns;
    first_exit_ns = std::min(first_exit_ns, worker->exit_ns.value_or(UINT64_MAX));
    places_[worker->id].worker = number++;
  }
}

const Place& Places::of(ProcessId id) const {
  static const Place kUnknown;
  const auto found = places_.find(id);
  return found == places_.end() ? kUnknown : found->second;
}

}  // namespace oomtrace::model
