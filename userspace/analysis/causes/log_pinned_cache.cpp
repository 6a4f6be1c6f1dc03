// SPDX-License-Identifier: Apache-2.0
// From a log alone: pages that reclaim may not take (locked, or waiting to be written) were a large part.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/causes/log_figures.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr double kMost = 0.3;

}  // namespace

std::optional<Cause> detect_pinned_cache_in_log(const model::World&, const IncidentContext& incident) {
  const auto figures = figures_at_kill(incident);
  if (!figures) return std::nullopt;
  const std::uint64_t locked = figures->unevictable.value_or(0), dirty = figures->dirty.value_or(0);
  const double share = figures->share(std::max(locked, dirty));
  if (share < kMost) return std::nullopt;
  Cause cause;
  cause.kind = "page_cache_pinned";
  cause.confidence = 0.2 + 0.4 * std::min(share, 1.0);
  const bool written = dirty > locked;
  cause.summary = fmt::format(
      "{} were {}, {} of what was used: reclaim could not take them.", bytes_text(std::max(locked, dirty)),
      written ? "dirty or under writeback" : "unevictable (locked, or in ramfs)", format_percent(std::min(share, 1.0)));
  cause.evidence = {
      {written ? "dirty or under writeback" : "unevictable", static_cast<double>(std::max(locked, dirty)), "bytes",
       figures->source},
      {"used in the domain", static_cast<double>(figures->used), "bytes", figures->source},
  };
  return cause;
}

}  // namespace oomtrace::analysis
