// SPDX-License-Identifier: Apache-2.0
// A burst of the trainer: a jump in seconds out of a calm level.
#include "analysis/causes/burst.h"

#include <algorithm>

namespace oomtrace::analysis {
namespace {

constexpr double kLeads = 0.6;               // the trainer's share of the growth
constexpr double kSpeed = 96.0 * (1 << 20);  // bytes a second at least: memory is filled as fast as it can be touched
constexpr double kShort = 2.0;               // seconds in which a burst needs no such speed
constexpr double kOfLevel = 0.1;             // of what the trainer held before, that a burst adds
constexpr double kCalmSeconds = 1.0;
constexpr double kCalmBursts = 0.75;  // times its own duration that it was calm before

double stepped_by(const StepSigns& signs, const Shape& shape) {
  const auto before = static_cast<double>(std::max<std::int64_t>(1, shape.before_bytes));
  double stepped = 0;
  if (static_cast<double>(signs.written_in_place) > 0.05 * before && signs.written_in_place > (16 << 20)) stepped = 0.9;
  if (static_cast<double>(signs.turned_over) > 0.1 * before) stepped = std::max(stepped, 0.6);
  if (signs.spikes > 1) stepped = std::max(stepped, 0.8);
  return stepped;
}

}  // namespace

std::optional<Burst> find_burst(const IncidentContext& incident) {
  if (!incident.window) return std::nullopt;
  auto group = leading_group(incident);
  if (!group || group->helpers || group->share < kLeads) return std::nullopt;
  if (incident.context.role(group->top().id) != model::Role::kTrainer) return std::nullopt;
  Burst burst{*std::move(group), {}, {}, 0};
  burst.shape = shape_of(incident, burst.group);
  const Shape& shape = burst.shape;
  const auto grown = static_cast<double>(shape.grown_bytes);
  if (shape.grown_bytes < 2 * telling_growth(incident)) return std::nullopt;
  if (grown < kOfLevel * static_cast<double>(shape.before_bytes)) return std::nullopt;
  // What was taken may be held for a while before the kill: a busy disk takes its time with a checkpoint.
  if (shape.rise_s > kShort && grown < kSpeed * shape.rise_s) return std::nullopt;
  if (shape.calm_s < std::max(kCalmSeconds, kCalmBursts * shape.burst_s)) return std::nullopt;
  burst.signs = step_signs(incident, burst.group.top(), shape);
  burst.stepped = stepped_by(burst.signs, shape);
  return burst;
}

}  // namespace oomtrace::analysis
