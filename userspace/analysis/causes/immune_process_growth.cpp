// SPDX-License-Identifier: Apache-2.0
// The process that grew was protected by oom_score_adj, or the victim was offered by it: without any adjustment the
// kernel would have taken the one that grew.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/causes/growers.h"
#include "analysis/weigh.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr double kInnocent = 0.3;  // share of the growth that the victim's program and helpers may have
constexpr double kGuilty = 0.5;    // and that those of the spared one must have

// Who would rank first if nobody had an adjustment; nullptr where figures are missing.
const Weighed* first_without_adj(std::vector<Weighed>& rows, std::optional<std::uint64_t> total_pages) {
  for (Weighed& row : rows) {
    row.oom_score_adj = 0;
    row.told_points.reset();
    if (row.excluded == Excluded::kAdjMin) row.excluded = Excluded::kNot;
  }
  if (rows.empty()) return nullptr;
  const Weighed& first = rows[rank(rows, total_pages).front()];
  return points_of(first, total_pages) && first.excluded == Excluded::kNot ? &first : nullptr;
}

}  // namespace

std::optional<Cause> detect_immune_process_growth(const model::World& world, const IncidentContext& incident) {
  if (incident.seen.decision.decided_by == DecidedBy::kAllocatingTask) return std::nullopt;
  const model::Process* victim = chosen_victim(incident);
  if (!victim) return std::nullopt;
  const WeighedTable table = weigh(world, incident.seen);
  std::vector<Weighed> plain = table.rows;
  const Weighed* first = first_without_adj(plain, table.total_pages);
  if (!first || first->victim || first->shares_victim_memory) return std::nullopt;
  const Weighed& spared = table.rows[static_cast<std::size_t>(first - plain.data())];
  const auto killed = std::find_if(table.rows.begin(), table.rows.end(),
                                   [&](const Weighed& row) { return row.process.id == victim->id; });
  if (killed == table.rows.end() || !killed->oom_score_adj || !spared.oom_score_adj) return std::nullopt;
  // The adjustments of these two must be what decided.
  if (*spared.oom_score_adj >= *killed->oom_score_adj) return std::nullopt;

  const Units& units = incident.context.units;
  const auto grown = grow_by_unit(incident);
  const auto share_of = [&](model::ProcessId id) {
    const auto found = grown.find(units.of(id));
    return found == grown.end() ? UnitGrowth{} : found->second;
  };
  const UnitGrowth grew = share_of(spared.process.id), own = share_of(victim->id);
  if (units.of(spared.process.id) == units.of(victim->id)) return std::nullopt;
  if (grew.share < kGuilty || own.share > kInnocent) return std::nullopt;
  if (grew.grown_bytes < telling_growth(incident)) return std::nullopt;

  const model::Process* known = world.find(spared.process.id);
  const std::string spared_name = known ? named(*known) : named(spared.process.comm, spared.process.pid);
  Cause cause;
  cause.kind = "immune_process_growth";
  cause.confidence = 0.7 + 0.25 * grew.share;
  cause.summary = fmt::format(
      "{} grew by {}, {} of the growth, and was the largest; oom_score_adj ({} against {}) turned the kill to {}.",
      spared_name, format_bytes(grew.grown_bytes), format_percent(grew.share), *spared.oom_score_adj,
      *killed->oom_score_adj, named(*victim));
  cause.evidence = {
      {"oom_score_adj of the one that grew", static_cast<double>(*spared.oom_score_adj), "", "oom.candidate"},
      {"oom_score_adj of the victim", static_cast<double>(*killed->oom_score_adj), "", "oom.candidate"},
      {"pages of the one that grew", static_cast<double>(spared.base().value_or(0)), "pages", "oom.candidate"},
      {"pages of the victim", static_cast<double>(killed->base().value_or(0)), "pages", "oom.candidate"},
      {"its share of the growth", grew.share, "ratio", "process.memory"},
  };
  return cause;
}

}  // namespace oomtrace::analysis
