// SPDX-License-Identifier: Apache-2.0
// What every step of the analysis looks at, and the helpers that several of them need.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "analysis/by_time.h"
#include "analysis/first_figures.h"
#include "analysis/held_figures.h"
#include "analysis/units.h"
#include "model/jobs.h"
#include "model/places.h"
#include "model/roles.h"
#include "model/world.h"
#include "oomtrace/report.h"

namespace oomtrace::analysis {

struct Context {
  explicit Context(const model::World& replayed)
      : world(replayed),
        roles(replayed),
        places(replayed, roles),
        jobs(replayed, roles),
        units(replayed, roles),
        processes(replayed),
        incidents(replayed),
        first_figures(replayed, roles),
        held(replayed) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const model::World& world;
  model::Roles roles;
  model::Places places;
  model::Jobs jobs;
  Units units;
  ProcessesByTime processes;
  IncidentsByTime incidents;
  FirstFigures first_figures;
  HeldFigures held;

  // nullopt where nothing but a name is known of the process, as in kernel logs.
  std::optional<std::string> role_of(model::ProcessId id) const;
  TrainingPlace place_of(model::ProcessId id) const;
  model::Role role(model::ProcessId id) const { return roles.of(id).role; }
};

// Facts of the host that an incident happened on.
inline const model::HostFacts& host_of(const model::World& world, const model::Incident& incident) {
  return world.traces()[incident.trace].host;
}
inline std::size_t boot_of(const model::World& world, const model::Incident& incident) {
  return world.traces()[incident.trace].boot;
}

// RFC 3339; nullopt where the source gave no wall time.
std::optional<std::string> time_of(std::int64_t wall_ns);
// Wall time of a moment of a boot, as the machine's clock showed it then; nullopt where no trace of it tells.
std::optional<std::string> time_at(const model::World& world, std::size_t boot, std::uint64_t boot_ns);
// The same by the clock as it was set at `by_ns`: what lies between two times of one clock is a duration.
std::optional<std::string> time_at(const model::World& world, std::size_t boot, std::uint64_t boot_ns,
                                   std::uint64_t by_ns);

// "python3 (pid 12)".
std::string named(const std::string& comm, std::uint32_t pid);
// "python3 train.py (pid 12)": with the script or module that Python runs, where that is known.
std::string named(const model::Process& process);

// The kill that was decided on, not its followers; nullptr where nobody was killed. Marks of tasks that were dying
// anyway are no kills.
const model::Kill* chosen_kill(const model::Incident& incident);

}  // namespace oomtrace::analysis
