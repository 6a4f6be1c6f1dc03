// SPDX-License-Identifier: Apache-2.0
// The list of cause detectors.
#include <algorithm>
#include <array>

#include "analysis/causes/cause.h"
#include "analysis/causes/ledger.h"
#include "analysis/domain_ledger.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr std::array kDetectors = {
    detect_numa_node_exhausted,
    detect_memory_ballooning,
    detect_immune_process_growth,
    detect_neighbor_growth,
    detect_shm_exhaustion,
    detect_dataloader_duplication,
    detect_offload_burst,
    detect_checkpoint_spike,
    detect_steady_growth,
    detect_page_cache_pinned,
    detect_kernel_memory_growth,
    detect_limit_below_working_set,
    detect_workers_in_log,
    detect_shared_memory_in_log,
    detect_kernel_memory_in_log,
    detect_pinned_cache_in_log,
    detect_node_exhausted_in_log,
    detect_state_in_log,
    detect_unknown,
};

// What less sure patterns are worth a word beside the cause.
constexpr double kWorthAWord = 0.25;

// A kill by hand on a machine with room has no cause in memory, whoever grew.
std::optional<Cause> asked_for(const model::World& world, const IncidentContext& incident) {
  if (!asked_for_with_room(world, incident.seen)) return std::nullopt;
  auto cause = detect_unknown(world, incident);
  const SystemMemory* machine = machine_at_kill(incident);
  if (!cause || !machine || !machine->available) return cause;
  const auto available = static_cast<std::int64_t>(*machine->available);
  cause->summary = "Somebody asked for a kill (SysRq f) while " + format_bytes(available) +
                   " were available: memory was not short, and nobody's growth explains it.";
  cause->evidence.insert(cause->evidence.begin(),
                         {"available", static_cast<double>(available), "bytes", "/proc/meminfo"});
  return cause;
}

}  // namespace

std::span<const Detector> detectors() { return kDetectors; }

Diagnosed diagnose(const model::World& world, const IncidentContext& incident) {
  if (auto asked = asked_for(world, incident)) return {*std::move(asked), {}};
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
    if (found[i].kind != "unknown" && found[i].confidence >= kWorthAWord) {
      diagnosed.contributing.push_back(std::move(found[i]));
    }
  }
  for (Cause& factor : contributing_factors(incident)) diagnosed.contributing.push_back(std::move(factor));
  return diagnosed;
}

}  // namespace oomtrace::analysis
