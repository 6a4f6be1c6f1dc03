// SPDX-License-Identifier: Apache-2.0
// Growth by unit and by group: what detectors ask of who grew and of who was alive at the kill.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "analysis/causes/cause.h"

namespace oomtrace::analysis {

struct Grower {
  const ProcessGrowth* growth = nullptr;
  const model::Process* process = nullptr;
};

// The rows of the incident's growth with the processes they stand for: of several under one pid the one that was alive
// at the kill. Empty without growth.
std::vector<Grower> growers(const IncidentContext& incident);

struct UnitGrowth {
  double share = 0;  // of all growth
  std::int64_t grown_bytes = 0;
  const model::Process* top = nullptr;  // its largest grower
};

// By unit (analysis/units.h).
std::map<model::ProcessId, UnitGrowth> grow_by_unit(const IncidentContext& incident);

// Whether two units have nothing to do with each other but the domain. Ranks of one job are the same work.
bool are_neighbors(const IncidentContext& incident, model::ProcessId one, model::ProcessId other);

// A program itself, or its helpers as a whole.
struct Group {
  model::ProcessId unit = model::kNoProcess;
  bool helpers = false;
  double share = 0;
  std::int64_t grown_bytes = 0, fresh_anon = 0, copied = 0, shmem = 0, file = 0, swap = 0;
  std::vector<Grower> members;  // largest grower first

  const model::Process& top() const { return *members.front().process; }
  // Four fifths of the group's growth are the first one's.
  bool top_stands_out() const { return members.front().growth->grown_bytes / 4 >= grown_bytes / 5; }
};

// The group with the largest growth; nullopt where nothing grew.
std::optional<Group> leading_group(const IncidentContext& incident);

// Whether it began with an empty address space (exec), so that what it needs to start counts as its growth. Forked
// helpers begin with all that their program has.
bool started_empty(const IncidentContext& incident, const Group& group);

// "python3 (pid 12)", "4 dataloader_workers of python3 (pid 12)".
std::string named_group(const IncidentContext& incident, const Group& group);

// The domain's size: its limit, else the machine's memory; 0 = not known.
std::int64_t domain_size(const IncidentContext& incident);

// Bytes below which growth explains no kill: a hundredth of the domain, at least 8 MiB.
std::int64_t telling_growth(const IncidentContext& incident);

// The victim that was chosen; nullptr where there is none or nothing is known of it.
const model::Process* chosen_victim(const IncidentContext& incident);

}  // namespace oomtrace::analysis
