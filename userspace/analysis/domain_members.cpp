// SPDX-License-Identifier: Apache-2.0
// Which processes are charged to the domain that ran out.
#include "analysis/domain_members.h"

#include "analysis/context.h"
#include "model/lineage.h"

namespace oomtrace::analysis {

bool within_cgroup(std::string_view path, std::string_view top) {
  if (path.empty() || top.empty()) return false;
  if (top == "/") return true;
  return path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '/');
}

DomainMembers::DomainMembers(const model::World& world, const model::Incident& incident)
    : world_(world),
      boot_(boot_of(world, incident)),
      memcg_(incident.decision.domain == DomainKind::kMemcg),
      cgroup_id_(incident.decision.cgroup.id),
      path_(world.path_of(boot_, incident.decision.cgroup)) {
  for (const model::CandidateRow& row : incident.candidates) {
    (row.excluded == Excluded::kOtherDomain ? outside_ : weighed_).insert(row.process.id);
  }
  if (!memcg_) return;
  for (const model::Kill& kill : incident.kills) weighed_.insert(kill.victim.id);
}

bool DomainMembers::has(const model::Process& process) const {
  if (process.boot != boot_ || model::shares_memory(process)) return false;
  if (!memcg_) return !outside_.contains(process.id);  // those are bound to other nodes
  if (cgroup_id_ != 0 && process.cgroup.id == cgroup_id_) return true;
  const std::string& told = process.cgroup.path;
  const std::string path = told.empty() ? world_.path_of(boot_, process.cgroup) : std::string();
  const std::string& known = told.empty() ? path : told;
  const bool comparable = !known.empty() && !path_.empty();
  return comparable ? within_cgroup(known, path_) : weighed_.contains(process.id);
}

std::vector<const model::Process*> DomainMembers::of(std::vector<const model::Process*> processes) const {
  std::erase_if(processes, [&](const model::Process* process) { return !has(*process); });
  return processes;
}

const model::Cgroup* domain_cgroup(const model::World& world, const model::Incident& incident) {
  if (incident.decision.domain != DomainKind::kMemcg) return nullptr;
  const std::size_t boot = boot_of(world, incident);
  const model::CgroupName& name = incident.decision.cgroup;
  if (name.id != 0) {
    if (const model::Cgroup* found = world.cgroup(boot, name.id)) return found;
  }
  return name.path.empty() ? nullptr : world.cgroup(boot, std::string_view(name.path));
}

}  // namespace oomtrace::analysis
