// SPDX-License-Identifier: Apache-2.0
// Where memory ran out and what it was full of; the machine around it.
#pragma once

#include "analysis/context.h"
#include "oomtrace/report.h"

namespace oomtrace::analysis {

Domain describe_domain(const model::World& world, const model::Incident& incident);
// Whether somebody asked for the kill (SysRq f) of a machine that had memory to give: then no growth led to it.
bool asked_for_with_room(const model::World& world, const model::Incident& incident);

SystemState describe_system(const model::World& world, const model::Incident& incident);

}  // namespace oomtrace::analysis
