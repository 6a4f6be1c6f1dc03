// SPDX-License-Identifier: Apache-2.0
// Which processes are charged to the domain that ran out.
#pragma once

#include <string_view>
#include <vector>

#include "model/world.h"

namespace oomtrace::analysis {

// Whether a cgroup is another or lies below it.
bool within_cgroup(std::string_view path, std::string_view top);

// Members of the domain, dead ones too, by order of first sight: those below the cgroup for memcg, all of the boot
// otherwise. A process whose cgroup is not known is one if the kernel weighed it. What shares its maker's memory
// (vfork, CLONE_VM) is left out: it would count twice.
std::vector<const model::Process*> domain_members(const model::World& world, const model::Incident& incident);

// The domain's cgroup, as far as its memory was sampled; nullptr outside of memcg domains.
const model::Cgroup* domain_cgroup(const model::World& world, const model::Incident& incident);

}  // namespace oomtrace::analysis
