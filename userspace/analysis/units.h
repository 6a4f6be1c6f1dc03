// SPDX-License-Identifier: Apache-2.0
// Units: a program with the helpers that work for it. Smaller than a job: a launcher, each of its ranks and a sidecar
// beside them are units of their own.
#pragma once

#include <map>

#include "model/roles.h"
#include "model/world.h"

namespace oomtrace::analysis {

class Units {
 public:
  Units(const model::World& world, const model::Roles& roles);
  // The program that a process belongs to: a trainer for its DataLoader workers, itself where it stands alone.
  model::ProcessId of(model::ProcessId id) const;
  // Whether the process works for its unit rather than being it.
  bool is_helper(model::ProcessId id) const { return of(id) != id; }

 private:
  std::map<model::ProcessId, model::ProcessId> units_;
};

}  // namespace oomtrace::analysis
