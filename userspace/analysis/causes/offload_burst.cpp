// SPDX-License-Identifier: Apache-2.0
// Optimizer states or parameters come to host memory: the trainer's own memory jumps in seconds, out of a calm level,
// before its optimizer has ever stepped; or its pinned memory does.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/causes/burst.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr double kPinnedPart = 0.5;

}  // namespace

std::optional<Cause> detect_offload_burst(const model::World&, const IncidentContext& incident) {
  const auto burst = find_burst(incident);
  if (!burst) return std::nullopt;
  const model::Process& trainer = burst->group.top();
  const auto sign = offload_sign(trainer);
  const Shape& shape = burst->shape;
  // cudaHostAlloc's pages count as shmem of the process that has them, and no worker fills them.
  const bool pinned = static_cast<double>(burst->group.shmem) > kPinnedPart * static_cast<double>(shape.grown_bytes);

  Cause cause;
  cause.kind = "offload_burst";
  const double sure = sign ? 0.25 : 0;
  cause.confidence = std::clamp(0.7 * (1 - 0.7 * burst->stepped) + sure, 0.0, 0.95);
  cause.summary = fmt::format(
      "{} had been calm for {:.1f} s and then took {} of {} memory in {:.1f} s, on top of {}: what optimizer states or "
      "parameters moved to the host look like{}.",
      named(trainer), shape.calm_s, format_bytes(shape.grown_bytes), pinned ? "pinned" : "anonymous", shape.rise_s,
      format_bytes(shape.before_bytes), burst->stepped < 0.5 ? " at the first step" : "");
  cause.evidence = {
      {"taken in the burst", static_cast<double>(shape.grown_bytes), "bytes", "process.memory"},
      {"held before", static_cast<double>(shape.before_bytes), "bytes", "process.memory"},
      {"duration of the burst", shape.rise_s * 1e9, "ns", "process.memory"},
      {"calm before", shape.calm_s * 1e9, "ns", "process.memory"},
      {"shared memory of it, as pinned pages count", static_cast<double>(burst->group.shmem), "bytes",
       "process.memory"},
      {"written in place before, beside forked workers", static_cast<double>(burst->signs.written_in_place), "bytes",
       "process.memory"},
      {"taken and given back in the calm", static_cast<double>(burst->signs.turned_over), "bytes", "process.memory"},
  };
  if (sign) cause.evidence.push_back({"sign of offloading: " + *sign, 1, "", "process.info"});
  return cause;
}

}  // namespace oomtrace::analysis
