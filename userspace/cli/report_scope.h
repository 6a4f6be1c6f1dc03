// SPDX-License-Identifier: Apache-2.0
// Which part of a report is wanted: --boot, --since, --until, --incident.
#pragma once

#include <cstdint>
#include <optional>

#include "cli/time_bounds.h"
#include "oomtrace/report.h"
#include "oomtrace/result.h"

namespace oomtrace::cli {

struct ReportScope {
  TimeBounds bounds;
  std::optional<BootChoice> boot;
  std::optional<std::uint64_t> incident;
};

// Leaves out the incidents and deaths that lie outside of the bounds; the report's source says the bounds, and how many
// incidents lie outside of them. Incidents without a date cannot be told to lie
// inside: they are left out with a note. Errors: Errc::kUsage where that leaves nothing of a log without dates.
Result<void> keep_between(const TimeBounds& bounds, Report& report);

// Leaves only that incident. Errors: Errc::kUsage where there is none with that number.
Result<void> keep_incident(std::uint64_t id, Report& report);

}  // namespace oomtrace::cli
