// SPDX-License-Identifier: Apache-2.0
// The command that a recording ran, with all that came of it.
#pragma once

#include <set>

#include "model/world.h"

namespace oomtrace::analysis {

// The first process that was started with the recorded command line, and its descendants. Empty where the recording ran
// no command.
std::set<model::ProcessId> command_family(const model::World& world);

}  // namespace oomtrace::analysis
