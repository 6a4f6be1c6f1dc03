// SPDX-License-Identifier: Apache-2.0
// The list of cause detectors.
#include <algorithm>
#include <array>

#include "analysis/causes/cause.h"

namespace oomtrace::analysis {
namespace {

constexpr std::array<Detector, 10> kDetectors = {
    detect_dataloader_duplication, detect_immune_process_growth,
    detect_neighbor_growth,        detect_workers_in_log,
    detect_shared_memory_in_log,   detect_kernel_memory_in_log,
    detect_pinned_cache_in_log,    detect_node_exhausted_in_log,
    detect_state_in_log,           detect_unknown,
};

}  // namespace

std::span<const Detector> detectors() { return kDetectors; }

Diagnosed diagnose(const model::World& world, const IncidentContext& incident) {
  std::vector<Cause> found;
  for (const Detector detect : detectors()) {
    if (auto cause = detect(world, incident)) found.push_back(*std::move(cause));
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Cause& a, const Cause& b) { return a.confidence > b.confidence; });
  Diagnosed diagnosed;
  if (found.empty()) return diagnosed;
  diagnosed.cause = std::move(found.front());
  for (std::size_t i = 1; i < found.size(); ++i) {
    if (found[i].kind != "unknown") diagnosed.contributing.push_back(std::move(found[i]));
  }
  return diagnosed;
}

}  // namespace oomtrace::analysis
