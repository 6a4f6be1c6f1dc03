// SPDX-License-Identifier: Apache-2.0
// How processes ended, by whom, and because of whom.
#pragma once

#include <vector>

#include "analysis/ending.h"
#include "oomtrace/report.h"

namespace oomtrace::analysis {

// Ends of processes that matter, by time: all that were killed or crashed; failures of training processes, of the
// traced command's family, of large processes and of what a death pulled with it; good ends of the first two only. At
// most kMostDeaths; the quiet ones give way first.
inline constexpr std::size_t kMostDeaths = 1000;
std::vector<Death> find_deaths(const Context& context, const Endings& endings);

}  // namespace oomtrace::analysis
