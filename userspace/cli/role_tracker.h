// SPDX-License-Identifier: Apache-2.0
// Growth by role while a recording runs, for metrics.
#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "model/world.h"
#include "oomtrace/event.h"
#include "oomtrace/status.h"

namespace oomtrace::cli {

// A World of the living with little memory of its own. Events of one boot go in, in order.
class RoleTracker {
 public:
  RoleTracker();

  // Takes process.*, passes over all else.
  void apply(const Event& event);

  // Of now. Growth since the last call goes to the role that a process has now: its name may have come after its fork.
  std::array<RoleFigures, kRoles.size()> figures();

 private:
  struct Growth {
    std::uint64_t total = 0;      // resident and swapped, as last told
    std::uint64_t unsettled = 0;  // added since the last figures()
    std::uint64_t resident = 0;
  };

  const model::Process* find(const ProcessRef& process) const;
  Growth& growth_of(const model::Process& process, const MemoryCounters& memory);
  void told(const ProcessRef& process, const std::optional<MemoryCounters>& memory);

  model::World world_;
  std::map<model::ProcessId, Growth> growth_;
  std::array<std::uint64_t, kRoles.size()> grown_{};
};

}  // namespace oomtrace::cli
