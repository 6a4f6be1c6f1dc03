// SPDX-License-Identifier: Apache-2.0
// Which processes are charged to the domain that ran out.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/world.h"

namespace oomtrace::analysis {

// Whether a cgroup is another or lies below it.
bool within_cgroup(std::string_view path, std::string_view top);

// Members of an incident's domain, dead ones too: those below the cgroup for memcg, all of the boot otherwise. A
// process whose cgroup is not known is one if the kernel weighed it. What shares its maker's memory (vfork, CLONE_VM)
// is left out: it would count twice.
class DomainMembers {
 public:
  DomainMembers(const model::World& world, const model::Incident& incident);

  bool has(const model::Process& process) const;
  // Of some processes the members, in their order.
  std::vector<const model::Process*> of(std::vector<const model::Process*> processes) const;

  std::size_t boot() const { return boot_; }
  bool memcg() const { return memcg_; }
  // The memcg's cgroup: 0 and empty where they are not known.
  std::uint64_t cgroup_id() const { return cgroup_id_; }
  const std::string& path() const { return path_; }
  // Whom the kernel's table has within, and outside of, the domain.
  const std::set<model::ProcessId>& weighed() const { return weighed_; }
  const std::set<model::ProcessId>& outside() const { return outside_; }

 private:
  const model::World& world_;
  std::size_t boot_ = 0;
  bool memcg_ = false;
  std::uint64_t cgroup_id_ = 0;
  std::string path_;
  std::set<model::ProcessId> weighed_, outside_;
};

// The domain's cgroup, as far as its memory was sampled; nullptr outside of memcg domains.
const model::Cgroup* domain_cgroup(const model::World& world, const model::Incident& incident);

}  // namespace oomtrace::analysis
