// SPDX-License-Identifier: Apache-2.0
// How much of what a family copied is the same region, copied by several of them.
#pragma once

#include <optional>
#include <vector>

#include "analysis/context.h"
#include "analysis/grown.h"
#include "oomtrace/report.h"

namespace oomtrace::analysis {

// By the regions that were told with the kill, or with another within five seconds of it: a region counts with
// what the least of its copiers copied there, and the number of copies is the one under which most bytes are copies of
// each other. Where no regions were told, the largest figure of one process and how many copied about as much. nullopt
// where it is less than 16 MiB. Families are summed; the region and its copies are of the one with most of it.
std::optional<Duplicated> find_duplicated(const Context& context, const model::Incident& incident,
                                          const std::vector<Grown>& grown);

}  // namespace oomtrace::analysis
