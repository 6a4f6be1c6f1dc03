// SPDX-License-Identifier: Apache-2.0
// From a log alone: the allocation was bound to some nodes, and the machine as a whole had memory left.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/causes/log_figures.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr double kRoom = 0.05;  // of the machine's memory free

}  // namespace

std::optional<Cause> detect_node_exhausted_in_log(const model::World&, const IncidentContext& incident) {
  const DomainKind domain = incident.seen.decision.domain;
  if (domain != DomainKind::kCpuset && domain != DomainKind::kMempolicy) return std::nullopt;
  const auto figures = figures_at_kill(incident);
  if (!figures || !figures->free) return std::nullopt;
  const double room = static_cast<double>(*figures->free) / static_cast<double>(figures->used + *figures->free);
  if (room < kRoom) return std::nullopt;
  Cause cause;
  cause.kind = "numa_node_exhausted";
  cause.confidence = 0.5 + 0.4 * std::min(1.0, room * 2);
  cause.summary = fmt::format("The allocation might only use {}{} {}, while {} of the machine's memory ({}) were free.",
                              domain == DomainKind::kCpuset ? "the cpuset's nodes" : "the memory policy's nodes",
                              incident.report.domain.nodes ? "" : ",",
                              incident.report.domain.nodes.value_or("which the log does not name"),
                              bytes_text(*figures->free), format_percent(room));
  cause.evidence = {
      {"free in the machine", static_cast<double>(*figures->free), "bytes", figures->source},
      {"used in the machine", static_cast<double>(figures->used), "bytes", figures->source},
  };
  return cause;
}

}  // namespace oomtrace::analysis
