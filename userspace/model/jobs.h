// SPDX-License-Identifier: Apache-2.0
// Jobs: families of processes with one root, and the name a scheduler or container runtime has for them.
#pragma once

#include <map>
#include <string>

#include "model/cgroup_identity.h"
#include "model/process.h"
#include "model/roles.h"

namespace oomtrace::model {

class World;

struct Job {
  ProcessId root = kNoProcess;  // the launcher, else the trainer, else the first of a forked family
  std::uint32_t members = 0;    // known processes, dead ones too
  CgroupIdentity identity;      // of the root's cgroup
  // "Slurm job 123 step 0", "pod UID", "container 0123456789ab", else "COMM (PID)" of the root.
  std::string name;
};

class Jobs {
 public:
  Jobs(const World& world, const Roles& roles);
  // The root of a process's family; itself where it stands alone.
  ProcessId root_of(ProcessId id) const;
  const Job& of(ProcessId id) const;

 private:
  void join_steps(const World& world, const Roles& roles);

  std::map<ProcessId, ProcessId> roots_;
  std::map<ProcessId, Job> jobs_;
};

}  // namespace oomtrace::model
