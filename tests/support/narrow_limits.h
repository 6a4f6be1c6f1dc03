// SPDX-License-Identifier: Apache-2.0
// Limits of the model so low that short inputs go beyond them.
#pragma once

#include "model/world.h"

namespace oomtrace::test {

inline model::World::Limits narrow_limits() {
  model::World::Limits limits;
  limits.quiet_dead = limits.failed_dead = 4;
  limits.kept_dead = 4;
  limits.living = 8;
  limits.incidents = 4;
  limits.kills = 2;
  limits.candidates = 8;
  limits.process_points = 64;
  limits.system_points = 16;
  limits.process_bytes = 2048;
  limits.incident_bytes = 16384;
  limits.cgroups = 4;
  limits.list = 4;
  return limits;
}

}  // namespace oomtrace::test
