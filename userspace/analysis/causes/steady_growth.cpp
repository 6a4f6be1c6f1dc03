// SPDX-License-Identifier: Apache-2.0
// One program grows at a steady pace: a leak, autograd graphs that are kept, or a queue without bound. By memory alone
// they look alike; what hints at one of them is said.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/causes/burst.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr double kLeads = 0.5;
constexpr double kShortest = 3.0;  // seconds
constexpr double kFit = 0.8;
constexpr unsigned kRises = 6;
constexpr double kLargest = 0.4;  // of the growth, in one rise
constexpr double kMine = 0.5;     // of the growth must be the group's own new memory, not copies
constexpr double kFills = 0.2;    // of the domain: less growth than that says little of what filled it

// A program that loads at its start grows steadily, too, but as fast as it can, and maps its libraries meanwhile.
constexpr double kLoading = 96.0 * (1 << 20);  // bytes a second
constexpr double kLoads = 8.0, kStarts = 6.0;  // seconds
constexpr double kMaps = 0.1;                  // of what it holds in file pages that come with it

bool is_loading(const Shape& shape) {
  if (shape.longest_rest_s > std::max(2.0, 0.35 * shape.age_s)) return false;
  if (static_cast<double>(shape.mapped_bytes) > kMaps * static_cast<double>(shape.end_bytes) / 2) return true;
  if (shape.age_s < kStarts && shape.line_s > 0.75 * shape.age_s) return true;
  return shape.line_slope > kLoading && shape.line_s < kLoads;
}

std::string candidates_of(const Group& group) {
  const double beside =
      group.grown_bytes > 0 ? static_cast<double>(group.shmem) / static_cast<double>(group.grown_bytes) : 0;
  // Inputs that a kept graph saved are batches in shared memory.
  if (!group.helpers && beside > 0.02 && beside < 0.5)
    return "kept autograd graphs (a loss stored without .item() or .detach()) before a leak or an unbounded queue, "
           "since batches in shared memory are kept beside the heap";
  if (group.helpers) return "a cache in the data set, a leak in its transforms, or results that are kept";
  return "a leak, kept autograd graphs or an unbounded queue, which look alike by memory";
}

}  // namespace

std::optional<Cause> detect_steady_growth(const model::World& world, const IncidentContext& incident) {
  const auto group = leading_group(incident);
  if (!group || !incident.window || group->share < kLeads || group->grown_bytes < telling_growth(incident)) {
    return std::nullopt;
  }
  const std::int64_t own = group->fresh_anon + group->swap + group->shmem;
  if (static_cast<double>(own) < kMine * static_cast<double>(group->grown_bytes)) return std::nullopt;
  if (group->helpers && detect_dataloader_duplication(world, incident)) return std::nullopt;
  const Shape shape = shape_of(incident, *group);
  if (shape.line_s < kShortest || shape.line_fit < kFit || shape.line_rises < kRises) return std::nullopt;
  if (shape.line_largest > kLargest) return std::nullopt;
  if (started_empty(incident, *group) && is_loading(shape)) return std::nullopt;

  Cause cause;
  cause.kind = "steady_growth";
  double confidence = 0.6 + 0.3 * (shape.line_fit - kFit) / (1 - kFit);
  const auto size = static_cast<double>(domain_size(incident));
  if (size > 0) confidence *= 0.5 + 0.5 * std::min(1.0, static_cast<double>(group->grown_bytes) / (kFills * size));
  // A jump fills memory along a straight line as well.
  if (find_burst(incident)) confidence *= 0.5;
  // Who was killed for it has a better name for that; this is what the other did.
  const model::Process* victim = chosen_victim(incident);
  if (victim && are_neighbors(incident, incident.context.units.of(victim->id), group->unit)) confidence *= 0.7;
  cause.confidence = std::clamp(confidence, 0.0, 0.92);
  const auto slope = static_cast<std::int64_t>(std::max(0.0, shape.line_slope));
  cause.summary = fmt::format("{} grew by {} a second for {:.1f} s (fit {:.2f}): {}.", named_group(incident, *group),
                              format_bytes(slope), shape.line_s, shape.line_fit, candidates_of(*group));
  cause.evidence = {
      {"pace", shape.line_slope, "bytes/s", "process.memory"},
      {"for so long", shape.line_s * 1e9, "ns", "process.memory"},
      {"fit of a straight line, r squared", shape.line_fit, "ratio", "process.memory"},
      {"times it rose", static_cast<double>(shape.line_rises), "", "process.memory"},
      {"largest rise, as share of all", shape.line_largest, "ratio", "process.memory"},
      {"share of the growth", group->share, "ratio", "process.memory"},
      {"fresh anonymous memory", static_cast<double>(group->fresh_anon), "bytes", "process.memory"},
      {"shared memory", static_cast<double>(group->shmem), "bytes", "process.memory"},
  };
  return cause;
}

}  // namespace oomtrace::analysis
