// SPDX-License-Identifier: Apache-2.0
// Questions of descent that events do not answer outright.
#pragma once

#include "model/process.h"

namespace oomtrace::model {

class World;

// Made by vfork, posix_spawn or clone(CLONE_VM) and not exec'ed yet: its counters are its maker's own.
bool shares_memory(const Process& process);

// Maps copies of its parent's pages: forked, and no exec since. Where the fork was not seen, the same executable and
// the same command line as the parent's stand in for it; with neither known the answer is no.
bool forked_without_exec(const World& world, const Process& process);

// Levels of parents that anything here climbs at most: hostile events can make a circle.
inline constexpr int kMaxAncestors = 256;

}  // namespace oomtrace::model
