// SPDX-License-Identifier: Apache-2.0
// The path of a cgroup as users write it: in the hierarchy, or where it is mounted.
#pragma once

#include <string>
#include <string_view>

namespace oomtrace::cli {

// "/sys/fs/cgroup/job" (v2) and "/sys/fs/cgroup/memory/job" (v1) -> "/job"; anything else as it is.
std::string cgroup_in_hierarchy(std::string_view argument);

}  // namespace oomtrace::cli
