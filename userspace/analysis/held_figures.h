// SPDX-License-Identifier: Apache-2.0
// What each process held at its samples: reckoned once, however many incidents ask.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "model/world.h"

namespace oomtrace::analysis {

class HeldFigures {
 public:
  explicit HeldFigures(const model::World& world) : world_(world) {}

  // held_at() for each point of its memory, in their order; `private_bytes` is without shmem.
  struct Figures {
    std::vector<std::int64_t> bytes, private_bytes;
  };
  const Figures& of(const model::Process& process, std::uint32_t page_size) const;

 private:
  const model::World& world_;
  mutable std::unordered_map<std::uint64_t, Figures> known_;  // by process and page size
};

}  // namespace oomtrace::analysis
