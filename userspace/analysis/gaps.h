// SPDX-License-Identifier: Apache-2.0
// What was not seen: of an incident, and of the whole source.
#pragma once

#include <string>
#include <vector>

#include "analysis/build_report.h"
#include "analysis/context.h"
#include "oomtrace/report.h"

namespace oomtrace::analysis {

// Sets `missing` (what is not there, and what would have told it) and `complete` of an otherwise finished incident.
void name_gaps(const model::World& world, const model::Incident& incident, Incident& report);

Source describe_source(const model::World& world, const SourceInfo& info);

}  // namespace oomtrace::analysis
