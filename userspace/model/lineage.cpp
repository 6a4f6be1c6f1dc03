// SPDX-License-Identifier: Apache-2.0
// Questions of descent that events do not answer outright.
#include "model/lineage.h"

#include "model/world.h"

namespace oomtrace::model {
namespace {

constexpr std::uint64_t kCloneVm = 0x00000100;  // include/uapi/linux/sched.h

}  // namespace

bool shares_memory(const Process& process) { return (process.clone_flags & kCloneVm) != 0 && process.execs == 0; }

bool forked_without_exec(const World& world, const Process& process) {
  if (process.execs > 0) return false;
  if (process.origin == Origin::kFork) return !shares_memory(process);
  const Process* parent = world.parent_of(process);
  return parent && !process.command_line.empty() && process.command_line == parent->command_line &&
         !process.executable.empty() && process.executable == parent->executable;
}

}  // namespace oomtrace::model
