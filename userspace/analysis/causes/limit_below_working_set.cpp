// SPDX-License-Identifier: Apache-2.0
// The limit is under what the run needs: it was reached while the program was still loading, or by a level that the run
// had kept for long.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/causes/burst.h"
#include "analysis/causes/ledger.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr double kLeads = 0.6;
constexpr double kRest = 0.35;         // of its life the program may rest between two rises and still be loading
constexpr double kOfDomain = 0.4;      // that the program holds
constexpr double kSmallGrowth = 0.05;  // of the limit: nothing that explains a kill
constexpr double kHighLevel = 0.85;    // of the limit, kept

Cause cause_of(double confidence, std::string summary, std::vector<Evidence> evidence) {
  Cause cause;
  cause.kind = "limit_below_working_set";
  cause.confidence = confidence;
  cause.summary = std::move(summary);
  cause.evidence = std::move(evidence);
  return cause;
}

std::optional<Cause> still_loading(const model::World& world, const IncidentContext& incident, double size) {
  const auto group = leading_group(incident);
  if (!group || group->share < kLeads || !started_empty(incident, *group)) return std::nullopt;
  const Shape shape = shape_of(incident, *group);
  if (static_cast<double>(shape.end_bytes) < kOfDomain * size) return std::nullopt;
  if (shape.age_s <= 0 || shape.longest_rest_s > std::max(2.0, kRest * shape.age_s)) return std::nullopt;
  if (group->helpers && detect_dataloader_duplication(world, incident)) return std::nullopt;
  if (detect_shm_exhaustion(world, incident)) return std::nullopt;
  if (find_burst(incident) || detect_steady_growth(world, incident)) return std::nullopt;
  return cause_of(
      0.6,
      fmt::format(
          "{} reached {} within {:.1f} s of its start without ever resting: it was still loading what it needs, "
          "and the limit of {} is below that.",
          named_group(incident, *group), format_bytes(shape.end_bytes), shape.age_s, bytes_text(size)),
      {{"held at the kill", static_cast<double>(shape.end_bytes), "bytes", "process.memory"},
       {"limit of the domain", size, "bytes", "oom.kill"},
       {"age at the kill", shape.age_s * 1e9, "ns", "process.memory"},
       {"longest time without growth", shape.longest_rest_s * 1e9, "ns", "process.memory"}});
}

std::optional<Cause> level_at_the_limit(const IncidentContext& incident, double size) {
  const Growth& growth = *incident.report.growth;
  if (static_cast<double>(growth.grown_bytes) > kSmallGrowth * size) return std::nullopt;
  const Domain& domain = incident.report.domain;
  if (domain.kind != "memcg" || !domain.usage_bytes) return std::nullopt;
  const auto needed = ledger_bytes(domain, {"anonymous", "shared memory and tmpfs"});
  if (!needed || static_cast<double>(*needed) < kHighLevel * size) return std::nullopt;
  const double before = static_cast<double>(*domain.usage_bytes) - static_cast<double>(growth.grown_bytes);
  if (before < kHighLevel * size) return std::nullopt;
  return cause_of(0.45,
                  fmt::format("The run had stood at {} of {} before: only {} more came in the window.",
                              bytes_text(before), bytes_text(size), format_bytes(growth.grown_bytes)),
                  {{"used before the window", before, "bytes", "oom.kill"},
                   {"limit of the domain", size, "bytes", "oom.kill"},
                   {"grown in the window", static_cast<double>(growth.grown_bytes), "bytes", "process.memory"}});
}

}  // namespace

std::optional<Cause> detect_limit_below_working_set(const model::World& world, const IncidentContext& incident) {
  const auto size = static_cast<double>(domain_size(incident));
  if (!incident.report.growth || !incident.window || size <= 0) return std::nullopt;
  if (auto cause = still_loading(world, incident, size)) return cause;
  return level_at_the_limit(incident, size);
}

}  // namespace oomtrace::analysis
