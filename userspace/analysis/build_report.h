// SPDX-License-Identifier: Apache-2.0
// From a replayed World to the Report.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/world.h"
#include "oomtrace/report.h"

namespace oomtrace::analysis {

// What the reader knows of the input, and the events do not.
struct SourceInfo {
  std::string kind;                // "trace", "ndjson", "kernel_log"
  std::string name;                // what was read, for people
  std::vector<std::string> notes;  // cuts and damage in words
};

// The incidents that are reported, in order, each under its number: its own, or the next free one where several traces
// meet. Marks of tasks that were dying anyway are none.
struct Numbered {
  std::uint64_t id = 0;
  const model::Incident* incident = nullptr;  // never nullptr; of the world
};
std::vector<Numbered> numbered_incidents(const model::World& world);

// Processes in the windows of all incidents together, each as often as it is looked at: a minute's work, or two. 5,000
// kills beside 2,000 processes stay below.
inline constexpr std::uint64_t kMostWeighed = 128'000'000;

// Pure: the same World gives the same Report. Incidents behind the one with which `most_weighed` is passed have no
// growth (Incident::growth_left_out).
Report build_report(const model::World& world, const SourceInfo& source, std::uint64_t most_weighed = kMostWeighed);

}  // namespace oomtrace::analysis
