// SPDX-License-Identifier: Apache-2.0
// From a log alone: files in /dev/shm and other tmpfs, or System V segments, were most of the domain.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/causes/log_figures.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr double kMost = 0.4;

}  // namespace

std::optional<Cause> detect_shared_memory_in_log(const model::World&, const IncidentContext& incident) {
  const auto figures = figures_at_kill(incident);
  if (!figures || !figures->shmem) return std::nullopt;
  const double share = figures->share(*figures->shmem);
  if (share < kMost || *figures->shmem < figures->anon.value_or(0)) return std::nullopt;
  Cause cause;
  cause.kind = "shm_exhaustion";
  cause.confidence = 0.35 + 0.4 * std::min(share, 1.0);
  cause.summary = fmt::format(
      "Shared memory and tmpfs held {}, {} of what was used: killing a process frees none of what is in files there.",
      bytes_text(*figures->shmem), format_percent(std::min(share, 1.0)));
  cause.evidence = {
      {"shared memory and tmpfs", static_cast<double>(*figures->shmem), "bytes", figures->source},
      {"used in the domain", static_cast<double>(figures->used), "bytes", figures->source},
  };
  if (figures->anon)
    cause.evidence.push_back({"anonymous", static_cast<double>(*figures->anon), "bytes", figures->source});
  return cause;
}

}  // namespace oomtrace::analysis
