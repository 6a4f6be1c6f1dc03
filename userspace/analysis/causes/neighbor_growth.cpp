// SPDX-License-Identifier: Apache-2.0
// The victim is innocent: another family in the same domain ate the headroom, and the victim was merely larger.
#include <fmt/format.h>

#include "analysis/causes/families.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr double kInnocent = 0.25;  // the victim's family may have this share of the growth
constexpr double kGuilty = 0.6;     // and one other family must have this

}  // namespace

std::optional<Cause> detect_neighbor_growth(const model::World& world, const IncidentContext& incident) {
  // Where a protection moved the choice, that is the better name.
  if (detect_immune_process_growth(world, incident)) return std::nullopt;
  const model::Process* victim = chosen_victim(incident);
  if (!victim) return std::nullopt;
  const model::ProcessId home = incident.context.jobs.root_of(victim->id);
  const auto families = grow_by_family(incident);
  const FamilyGrowth* other = nullptr;
  double own_share = 0;
  for (const auto& [root, family] : families) {
    if (root == home) {
      own_share = family.share;
    } else if (!other || family.share > other->share) {
      other = &family;
    }
  }
  if (!other || other->share < kGuilty || own_share > kInnocent) return std::nullopt;
  if (other->grown_bytes < telling_growth(incident)) return std::nullopt;

  Cause cause;
  cause.kind = "neighbor_growth";
  cause.confidence = 0.65 + 0.3 * (other->share - own_share);
  cause.summary = fmt::format(
      "{} was killed, but {} and its family grew by {}, {} of the growth; the family of the "
      "victim had {}.",
      named(victim->comm, victim->pid), named(other->top->comm, other->top->pid), format_bytes(other->grown_bytes),
      format_percent(other->share), format_percent(own_share));
  cause.evidence = {
      {"growth of the neighbor", static_cast<double>(other->grown_bytes), "bytes", "process.memory"},
      {"its share of the growth", other->share, "ratio", "process.memory"},
      {"share of the victim's family", own_share, "ratio", "process.memory"},
  };
  return cause;
}

}  // namespace oomtrace::analysis
