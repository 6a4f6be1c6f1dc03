// SPDX-License-Identifier: Apache-2.0
// Units: a program with the helpers that work for it.
#include "analysis/units.h"

#include <vector>

#include "model/lineage.h"
#include "model/role_signs.h"

namespace oomtrace::analysis {
namespace {

using model::Process;
using model::ProcessId;
using model::Role;

bool helps_its_parent(const model::World& world, const model::Roles& roles, const Process& process) {
  switch (roles.of(process.id).role) {
    case Role::kDataloaderWorker:
    case Role::kWorker:
    case Role::kShmManager:
    case Role::kCompileWorker:
      return true;
    case Role::kTrainer:
    case Role::kLauncher:
      return false;
    case Role::kOther:
      break;
  }
  return model::is_resource_tracker(process.command_line) || model::runs_fork_server(process.command_line) ||
         (model::forked_without_exec(world, process) && !model::is_shell(process));
}

}  // namespace

Units::Units(const model::World& world, const model::Roles& roles) {
  for (const auto& [id, process] : world.processes()) {
    std::vector<ProcessId> line;
    ProcessId root = id;
    for (const Process* next = &process; line.size() < model::kMaxAncestors;) {
      const auto known = units_.find(next->id);
      if (known != units_.end()) {
        root = known->second;
        break;
      }
      line.push_back(next->id);
      root = next->id;
      const Process* parent = world.parent_of(*next);
      if (!parent || parent->boot != process.boot || !helps_its_parent(world, roles, *next)) break;
      next = parent;
    }
    for (const ProcessId member : line) units_.emplace(member, root);
  }
}

ProcessId Units::of(ProcessId id) const {
  const auto found = units_.find(id);
  return found == units_.end() ? id : found->second;
}

}  // namespace oomtrace::analysis
