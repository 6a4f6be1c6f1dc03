// SPDX-License-Identifier: Apache-2.0
// Who newly charged memory to the domain before a kill, and who drove it.
#pragma once

#include <optional>

#include "analysis/charged.h"
#include "analysis/context.h"
#include "oomtrace/report.h"

namespace oomtrace::analysis {

struct GrowthFound {
  Growth growth;
  Window window;
};

// nullopt where no recorder saw the processes before the kill. grown_bytes of the whole is the sum of what grew, and
// shares are of it; a process or role that gave back has a negative growth and the share 0. Roles and processes by
// growth, largest first; processes that did not move are left out, and beyond a thousand only their sum is told.
std::optional<GrowthFound> find_growth(const Context& context, const model::Incident& incident);

}  // namespace oomtrace::analysis
