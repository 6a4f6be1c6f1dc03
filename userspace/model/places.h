// SPDX-License-Identifier: Apache-2.0
// Places: which rank of its job a process belongs to, and which worker of its rank it is.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "model/process.h"

namespace oomtrace::model {

class Roles;
class World;

// std::nullopt is what is not known. All count from 0, as the frameworks do.
struct Place {
  std::optional<std::uint32_t> rank, local_rank, world_size;
  // Of a DataLoader worker: which one in order of start, of those that its parent started together. It is PyTorch's
  // worker id (torch.utils.data.get_worker_info().id), which no process shows, unless two loaders start at once.
  std::optional<std::uint32_t> worker;
};

// A rank is known from the environment that a launcher gave the trainer (torchrun, accelerate, DeepSpeed, Lightning,
// mpirun, srun, JAX). What runs below a trainer has the trainer's; launchers have none. A World that changes needs new
// Places.
class Places {
 public:
  Places(const World& world, const Roles& roles);
  // All unknown for what the World does not know.
  const Place& of(ProcessId id) const;

 private:
  void number_workers(const World& world, const Roles& roles, const Process& parent);

  std::map<ProcessId, Place> places_;
};

}  // namespace oomtrace::model
