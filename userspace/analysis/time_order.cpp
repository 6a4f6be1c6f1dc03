// SPDX-License-Identifier: Apache-2.0
// One order for what happened in several boots and on several machines.
#include "analysis/time_order.h"

#include <algorithm>
#include <limits>

#include "analysis/context.h"

namespace oomtrace::analysis {
namespace {

constexpr std::int64_t kUndated = std::numeric_limits<std::int64_t>::max();

bool recorded(const model::World& world, std::size_t boot) { return !world.boots()[boot].clock.empty(); }

}  // namespace

std::int64_t order_of(const model::World& world, std::size_t boot, std::uint64_t boot_ns) {
  if (recorded(world, boot)) return wall_time(boot_ns, world.boots()[boot].clock.last_offset());
  for (const model::Trace& trace : world.traces()) {
    if (trace.boot != boot || trace.first_wall_ns == 0) continue;
    return wall_time(boot_ns, wall_time(0 - trace.first_boot_ns, trace.first_wall_ns));
  }
  return kUndated;
}

std::vector<const model::Incident*> in_order_of_time(const model::World& world) {
  struct Placed {
    std::int64_t at = kUndated;
    const model::Incident* incident = nullptr;
  };
  std::vector<Placed> placed;
  placed.reserve(world.incidents().size());
  std::vector<std::int64_t> latest(world.traces().size(), std::numeric_limits<std::int64_t>::min());
  for (const model::Incident& incident : world.incidents()) {
    const std::size_t boot = boot_of(world, incident);
    if (recorded(world, boot)) {
      placed.push_back({order_of(world, boot, incident.boot_ns), &incident});
      continue;
    }
    // A log's own order stands, though its dates go back where the clock was set.
    std::int64_t& last = latest[incident.trace];
    const std::int64_t at = incident.wall_ns != 0 ? incident.wall_ns : order_of(world, boot, incident.boot_ns);
    last = std::max(last, at);
    placed.push_back({last, &incident});
  }
  std::stable_sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) { return a.at < b.at; });
  std::vector<const model::Incident*> order;
  order.reserve(placed.size());
  for (const Placed& one : placed) order.push_back(one.incident);
  return order;
}

Extent extent_of(const model::World& world) {
  Extent extent;
  std::int64_t first_at = 0, last_at = 0;
  for (const model::Trace& trace : world.traces()) {
    const bool live = recorded(world, trace.boot);
    const std::int64_t first = live ? order_of(world, trace.boot, trace.first_boot_ns) : trace.first_wall_ns;
    const std::int64_t last = live ? order_of(world, trace.boot, trace.last_boot_ns) : trace.last_wall_ns;
    if (trace.first_wall_ns != 0 && (extent.first == nullptr || first < first_at)) {
      extent.first = &trace;
      first_at = first;
    }
    if (trace.last_wall_ns != 0 && (extent.last == nullptr || last > last_at)) {
      extent.last = &trace;
      last_at = last;
    }
  }
  return extent;
}

}  // namespace oomtrace::analysis
