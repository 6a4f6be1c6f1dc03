// SPDX-License-Identifier: Apache-2.0
// The victim is innocent: another program in the same domain ate the headroom, and the victim was merely larger.
#include <fmt/format.h>

#include "analysis/causes/growers.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr double kInnocent = 0.3;  // the victim's program and helpers may have this share of the growth
constexpr double kGuilty = 0.6;    // and one other program must have this

}  // namespace

std::optional<Cause> detect_neighbor_growth(const model::World& world, const IncidentContext& incident) {
  // Where a protection moved the choice, that is the better name.
  if (detect_immune_process_growth(world, incident)) return std::nullopt;
  const model::Process* victim = chosen_victim(incident);
  if (!victim) return std::nullopt;
  const model::ProcessId home = incident.context.units.of(victim->id);
  const auto units = grow_by_unit(incident);
  const UnitGrowth* other = nullptr;
  double own_share = 0;
  for (const auto& [unit, growth] : units) {
    if (!are_neighbors(incident, home, unit)) {
      own_share += growth.share;
    } else if (!other || growth.share > other->share) {
      other = &growth;
    }
  }
  if (!other || other->share < kGuilty || own_share > kInnocent) return std::nullopt;
  if (other->grown_bytes < telling_growth(incident)) return std::nullopt;

  Cause cause;
  cause.kind = "neighbor_growth";
  cause.confidence = 0.65 + 0.3 * (other->share - own_share);
  cause.summary = fmt::format(
      "{} was killed, but {} and what belongs to it grew by {}, {} of the growth; the "
      "victim's own program had {}.",
      named(*victim), named(*other->top), format_bytes(other->grown_bytes), format_percent(other->share),
      format_percent(own_share));
  cause.evidence = {
      {"growth of the neighbor", static_cast<double>(other->grown_bytes), "bytes", "process.memory"},
      {"its share of the growth", other->share, "ratio", "process.memory"},
      {"share of the victim's program", own_share, "ratio", "process.memory"},
  };
  return cause;
}

}  // namespace oomtrace::analysis
