// SPDX-License-Identifier: Apache-2.0
// By trace.start's command line.
#include "analysis/command_family.h"

#include "model/lineage.h"

namespace oomtrace::analysis {

std::set<model::ProcessId> command_family(const model::World& world) {
  std::set<model::ProcessId> family;
  for (const model::Trace& trace : world.traces()) {
    if (trace.host.command.empty()) continue;
    for (const auto& [id, process] : world.processes()) {
      const bool ran = process.boot == trace.boot && process.execs > 0 && process.command_line == trace.host.command;
      if (!ran) continue;
      family.insert(id);
      break;
    }
  }
  if (family.empty()) return family;
  for (const auto& [id, process] : world.processes()) {
    const model::Process* above = &process;
    for (int level = 0; above && level < model::kMaxAncestors; ++level, above = world.parent_of(*above)) {
      if (!family.contains(above->id)) continue;
      family.insert(id);
      break;
    }
  }
  return family;
}

}  // namespace oomtrace::analysis
