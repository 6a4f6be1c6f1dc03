// SPDX-License-Identifier: Apache-2.0
// Processes and incidents by time: what is asked of one incident costs what happened around it, however many there are.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "analysis/spans.h"
#include "model/world.h"

namespace oomtrace::analysis {

// A life lasts from the first sight or the first figures to the end or the last figures, whichever is wider.
class ProcessesByTime {
 public:
  explicit ProcessesByTime(const model::World& world);

  // Those of a boot whose lives touch the stretch, by order of first sight.
  std::vector<const model::Process*> lived_in(std::size_t boot, std::uint64_t from_ns, std::uint64_t to_ns) const;
  // The same of a process's children, in any order.
  std::vector<const model::Process*> children_in(const model::Process& parent, std::uint64_t from_ns,
                                                 std::uint64_t to_ns) const;
  // How many processes lived_in() has given so far: what the analysis of all incidents has cost.
  std::uint64_t given() const { return given_; }

 private:
  using Lives = Spans<const model::Process*>;

  const model::World& world_;
  std::vector<Lives> boots_;
  mutable std::uint64_t given_ = 0;
  mutable std::unordered_map<model::ProcessId, Lives> children_;  // of those that were asked for
};

class IncidentsByTime {
 public:
  explicit IncidentsByTime(const model::World& world);

  // Those of a boot that began no farther from a moment, in the order of the world.
  std::vector<const model::Incident*> begun_near(std::size_t boot, std::uint64_t at_ns, std::uint64_t within_ns) const;

  struct Killed {
    const model::Incident* incident = nullptr;
    const model::Kill* kill = nullptr;
  };
  // Kills of a boot so shortly before a moment, or at it, in the order of the world.
  std::vector<Killed> kills_before(std::size_t boot, std::uint64_t at_ns, std::uint64_t within_ns) const;

  // Whether some incident names it as one that was dying anyway.
  bool marked(model::ProcessId id) const { return marked_.contains(id); }

 private:
  template <class T>
  using Timed = std::vector<std::pair<std::uint64_t, T>>;

  std::vector<Timed<const model::Incident*>> begun_;  // by boot, then by time
  std::vector<Timed<Killed>> kills_;
  std::unordered_set<model::ProcessId> marked_;
};

}  // namespace oomtrace::analysis
