// SPDX-License-Identifier: Apache-2.0
// Jobs: families of processes with one root, and the name a scheduler or container runtime has for them.
#include "model/jobs.h"

#include <tuple>
#include <vector>

#include "model/lineage.h"
#include "model/role_signs.h"
#include "model/world.h"

namespace oomtrace::model {
namespace {

// Whether a process belongs to its parent's family. A shell starts jobs and is part of none.
bool belongs_to_parent(const World& world, const Roles& roles, const Process& process, const Process& parent) {
  const Role role = roles.of(parent.id).role;
  if (role == Role::kLauncher) return true;
  if (is_shell(parent)) return false;
  return role != Role::kOther || forked_without_exec(world, process) || runs_fork_server(parent.command_line);
}

std::string name_of(const Process& root, const CgroupIdentity& identity) {
  constexpr std::size_t kShortId = 12;  // as container tools print it
  if (identity.slurm_job) {
    return "Slurm job " + *identity.slurm_job + (identity.slurm_step ? " step " + *identity.slurm_step : "");
  }
  if (identity.k8s_pod_uid) return "pod " + *identity.k8s_pod_uid;
  if (identity.container_id) return "container " + identity.container_id->substr(0, kShortId);
  return root.comm + " (" + std::to_string(root.pid) + ")";
}

}  // namespace

Jobs::Jobs(const World& world, const Roles& roles) {
  for (const auto& [id, process] : world.processes()) {
    std::vector<ProcessId> line;
    ProcessId root = id;
    for (const Process* next = &process; line.size() < kMaxAncestors;) {
      const auto known = roots_.find(next->id);
      if (known != roots_.end()) {
        root = known->second;
        break;
      }
      line.push_back(next->id);
      root = next->id;
      const Process* parent = world.parent_of(*next);
      if (!parent || !belongs_to_parent(world, roles, *next, *parent)) break;
      next = parent;
    }
    for (const ProcessId member : line) roots_.emplace(member, root);
  }
  join_steps(world, roles);
  for (const auto& [id, root_id] : roots_) {
    Job& job = jobs_[root_id];
    ++job.members;
    if (job.root != kNoProcess) continue;
    const Process* root = world.find(root_id);
    job.root = root_id;
    job.identity = identify_cgroup(world.path_of(root->boot, root->cgroup));
    job.name = name_of(*root, job.identity);
  }
}

// Trainers of one Slurm step may have parents that were not seen, or a shell each.
void Jobs::join_steps(const World& world, const Roles& roles) {
  using Step = std::tuple<std::size_t, std::string, std::string>;  // boot, job, step
  std::map<Step, ProcessId> first_of;
  std::map<ProcessId, Step> step_of;
  for (const auto& [id, root_id] : roots_) {
    const Role role = roles.of(id).role;
    if (id != root_id || (role != Role::kLauncher && role != Role::kTrainer)) continue;
    const Process* root = world.find(id);
    const CgroupIdentity identity = identify_cgroup(world.path_of(root->boot, root->cgroup));
    if (!identity.slurm_job || !identity.slurm_step) continue;
    const Step step{root->boot, *identity.slurm_job, *identity.slurm_step};
    step_of.emplace(id, step);
    const auto [first, added] = first_of.emplace(step, id);
    if (!added && role == Role::kLauncher && roles.of(first->second).role != role) first->second = id;
  }
  for (auto& [id, root_id] : roots_) {
    const auto step = step_of.find(root_id);
    if (step != step_of.end()) root_id = first_of.at(step->second);
  }
}

ProcessId Jobs::root_of(ProcessId id) const {
  const auto found = roots_.find(id);
  return found == roots_.end() ? id : found->second;
}

const Job& Jobs::of(ProcessId id) const {
  static const Job kNone;
  const auto found = jobs_.find(root_of(id));
  return found == jobs_.end() ? kNone : found->second;
}

}  // namespace oomtrace::model
