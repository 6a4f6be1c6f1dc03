// SPDX-License-Identifier: Apache-2.0
// Which processes are charged to the domain that ran out.
#include "analysis/domain_members.h"

#include <set>

#include "analysis/context.h"
#include "model/lineage.h"

namespace oomtrace::analysis {

bool within_cgroup(std::string_view path, std::string_view top) {
  if (path.empty() || top.empty()) return false;
  if (top == "/") return true;
  return path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '/');
}

std::vector<const model::Process*> domain_members(const model::World& world, const model::Incident& incident) {
  const std::size_t boot = boot_of(world, incident);
  const bool memcg = incident.decision.domain == DomainKind::kMemcg;
  const model::CgroupName& top = incident.decision.cgroup;
  const std::string top_path = world.path_of(boot, top);
  std::set<model::ProcessId> weighed, outside;
  for (const model::CandidateRow& row : incident.candidates) {
    (row.excluded == Excluded::kOtherDomain ? outside : weighed).insert(row.process.id);
  }
  if (memcg) {
    for (const model::Kill& kill : incident.kills) weighed.insert(kill.victim.id);
  }
  std::vector<const model::Process*> members;
  for (const auto& [id, process] : world.processes()) {
    if (process.boot != boot || model::shares_memory(process)) continue;
    if (memcg) {
      const std::string path = world.path_of(boot, process.cgroup);
      const bool by_id = top.id != 0 && process.cgroup.id == top.id;
      const bool comparable = !path.empty() && !top_path.empty();
      if (!(by_id || (comparable ? within_cgroup(path, top_path) : weighed.contains(id)))) continue;
    } else if (outside.contains(id)) {
      continue;  // bound to other nodes
    }
    members.push_back(&process);
  }
  return members;
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
