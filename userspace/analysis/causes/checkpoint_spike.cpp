// SPDX-License-Identifier: Apache-2.0
// A checkpoint copies weights and optimizer states before it writes them: the trainer jumps in seconds although its
// optimizer had its state already, or did so before and came down again.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/causes/burst.h"
#include "analysis/shared_memory.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

// What the domain's page cache rose by in the window; 0 where that is not known.
std::int64_t written_beside(const IncidentContext& incident) {
  const DomainRise rise = domain_rise(incident.context.world, incident.seen, *incident.window);
  return std::max<std::int64_t>(0, rise.file.value_or(0) - std::max<std::int64_t>(0, rise.shmem.value_or(0)));
}

}  // namespace

std::optional<Cause> detect_checkpoint_spike(const model::World&, const IncidentContext& incident) {
  const auto burst = find_burst(incident);
  if (!burst || burst->stepped <= 0) return std::nullopt;
  const model::Process& trainer = burst->group.top();
  const Shape& shape = burst->shape;
  const std::int64_t written = written_beside(incident);
  const bool files = written > shape.grown_bytes / 4;

  Cause cause;
  cause.kind = "checkpoint_spike";
  double confidence = 0.85 * burst->stepped;
  if (burst->signs.spikes > 0) confidence += 0.1;
  if (files) confidence += 0.1;
  if (offload_sign(trainer)) confidence -= 0.1;
  cause.confidence = std::clamp(confidence, 0.0, 0.95);
  cause.summary = fmt::format(
      "{} was training at a level of {} and took {} more in {:.1f} s{}: a copy of weights and optimizer states, as "
      "made "
      "for a checkpoint.",
      named(trainer), format_bytes(shape.before_bytes), format_bytes(shape.grown_bytes), shape.rise_s,
      files ? ", with file pages beside it" : "");
  cause.evidence = {
      {"taken in the spike", static_cast<double>(shape.grown_bytes), "bytes", "process.memory"},
      {"held before", static_cast<double>(shape.before_bytes), "bytes", "process.memory"},
      {"duration of the spike", shape.rise_s * 1e9, "ns", "process.memory"},
      {"calm before", shape.calm_s * 1e9, "ns", "process.memory"},
      {"earlier spikes that fell back", static_cast<double>(burst->signs.spikes), "", "process.memory"},
      {"weights written in place before", static_cast<double>(burst->signs.written_in_place), "bytes",
       "process.memory"},
      {"taken and given back at each step before", static_cast<double>(burst->signs.turned_over), "bytes",
       "process.memory"},
      {"page cache that rose beside it", static_cast<double>(written), "bytes", "cgroup.memory"},
  };
  return cause;
}

}  // namespace oomtrace::analysis
