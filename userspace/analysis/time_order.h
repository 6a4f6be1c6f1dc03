// SPDX-License-Identifier: Apache-2.0
// One order for what happened in several boots and on several machines.
#pragma once

#include <cstdint>
#include <vector>

#include "model/world.h"

namespace oomtrace::analysis {

// A place on one line of time, ns. Within a boot that was recorded the order is that of its monotonic time, whatever
// was done to its clock; boots are put beside each other by the clock as it was set last, which is the likeliest to be
// right. A boot that only a log tells of has the log's dates; one without dates comes last.
std::int64_t order_of(const model::World& world, std::size_t boot, std::uint64_t boot_ns);

// Incidents in that order. Those of a log stay in its order.
std::vector<const model::Incident*> in_order_of_time(const model::World& world);

// The trace that begins first, and the one that ends last; nullptr where none has a date.
struct Extent {
  const model::Trace *first = nullptr, *last = nullptr;
};
Extent extent_of(const model::World& world);

}  // namespace oomtrace::analysis
