// SPDX-License-Identifier: Apache-2.0
// Growth by family: what detectors ask of jobs and of who was alive at the kill.
#pragma once

#include <cstdint>
#include <map>
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

struct FamilyGrowth {
  double share = 0;  // of all growth
  std::int64_t grown_bytes = 0;
  const model::Process* top = nullptr;  // its largest grower
};

// By the root of each family (model::Jobs).
std::map<model::ProcessId, FamilyGrowth> grow_by_family(const IncidentContext& incident);

// Bytes below which growth explains no kill: a hundredth of the domain, at least 8 MiB.
std::int64_t telling_growth(const IncidentContext& incident);

// The victim that was chosen; nullptr where there is none or nothing is known of it.
const model::Process* chosen_victim(const IncidentContext& incident);

}  // namespace oomtrace::analysis
