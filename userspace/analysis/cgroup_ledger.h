// SPDX-License-Identifier: Apache-2.0
// The cgroups that a domain's memory was charged to.
#pragma once

#include "analysis/context.h"
#include "oomtrace/report.h"

namespace oomtrace::analysis {

// Of the cgroups whose memory was told last before the kill: those below the domain's, and itself; all of the machine
// where it ran out as a whole. Each without what is listed below it, so that no byte is in two of them; the largest
// first. Sets domain.cgroups and cgroups_age_ns; leaves them where the list would name nothing but the domain itself,
// or more than the domain held: then much has happened since.
void fill_cgroups(const model::World& world, const model::Incident& incident, Domain& domain);

}  // namespace oomtrace::analysis
