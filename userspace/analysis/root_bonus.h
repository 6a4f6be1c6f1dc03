// SPDX-License-Identifier: Apache-2.0
// What older kernels took off the points of root's processes.
#pragma once

#include "analysis/weigh.h"

namespace oomtrace::analysis {

// oom_badness() of 3.5 to 3.13 counts CAP_SYS_ADMIN as 30 thousandths of all pages less, that of 3.14 to 4.16 as 3 % of
// the process's own pages less; 4.17 (d46078b28889) took the bonus away. Sets Weighed::discount of whom it was given.
//
// No log names the capability. A printed score tells of the chosen one whether it had it; of others a user id of 0
// does, but not in a memory cgroup: containers' roots have no CAP_SYS_ADMIN.
void take_off_root_bonus(const model::World& world, const model::Incident& incident, WeighedTable& table);

}  // namespace oomtrace::analysis
