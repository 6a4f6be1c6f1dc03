// SPDX-License-Identifier: Apache-2.0
// The form of every cause detector, and the list of them.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "analysis/charged.h"
#include "analysis/context.h"
#include "oomtrace/report.h"

namespace oomtrace::analysis {

// What a detector may look at beside the World: the incident as seen and as told so far (domain, victims, selection and
// growth are set), roles and jobs.
struct IncidentContext {
  const Context& context;
  const model::Incident& seen;
  const Incident& report;
  const std::optional<Window>& window;  // of report.growth; nullopt without it
};

// Pure. nullopt where the pattern is not there. Confidence in [0, 1]; evidence as figures that can be checked.
using Detector = std::optional<Cause> (*)(const model::World&, const IncidentContext&);

std::span<const Detector> detectors();

// The surest cause, and what else applies, surest first. Always names one: `unknown` with the figures at least.
struct Diagnosed {
  Cause cause;
  std::vector<Cause> contributing;
};
Diagnosed diagnose(const model::World& world, const IncidentContext& incident);

std::optional<Cause> detect_dataloader_duplication(const model::World& world, const IncidentContext& incident);
std::optional<Cause> detect_offload_burst(const model::World& world, const IncidentContext& incident);
std::optional<Cause> detect_steady_growth(const model::World& world, const IncidentContext& incident);
std::optional<Cause> detect_shm_exhaustion(const model::World& world, const IncidentContext& incident);
std::optional<Cause> detect_checkpoint_spike(const model::World& world, const IncidentContext& incident);
std::optional<Cause> detect_neighbor_growth(const model::World& world, const IncidentContext& incident);
std::optional<Cause> detect_limit_below_working_set(const model::World& world, const IncidentContext& incident);
std::optional<Cause> detect_memory_ballooning(const model::World& world, const IncidentContext& incident);
std::optional<Cause> detect_immune_process_growth(const model::World& world, const IncidentContext& incident);
std::optional<Cause> detect_numa_node_exhausted(const model::World& world, const IncidentContext& incident);
std::optional<Cause> detect_page_cache_pinned(const model::World& world, const IncidentContext& incident);
std::optional<Cause> detect_kernel_memory_growth(const model::World& world, const IncidentContext& incident);
// From a kernel log's figures alone, where nobody recorded the growth.
std::optional<Cause> detect_workers_in_log(const model::World& world, const IncidentContext& incident);
std::optional<Cause> detect_shared_memory_in_log(const model::World& world, const IncidentContext& incident);
std::optional<Cause> detect_kernel_memory_in_log(const model::World& world, const IncidentContext& incident);
std::optional<Cause> detect_pinned_cache_in_log(const model::World& world, const IncidentContext& incident);
std::optional<Cause> detect_node_exhausted_in_log(const model::World& world, const IncidentContext& incident);
std::optional<Cause> detect_state_in_log(const model::World& world, const IncidentContext& incident);
std::optional<Cause> detect_unknown(const model::World& world, const IncidentContext& incident);

// The memory of a victim killed shortly before seems not to have come back; one of the contributing factors.
std::optional<Cause> earlier_victim_dying(const IncidentContext& incident);

// What made the kill likelier or worse without being its cause: overcommit, swap, memory.oom.group, huge pages, order.
std::vector<Cause> contributing_factors(const IncidentContext& incident);

}  // namespace oomtrace::analysis
