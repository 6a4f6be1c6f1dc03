// SPDX-License-Identifier: Apache-2.0
// The recorder must outlive the kill it records.
#pragma once

#include <string>
#include <vector>

namespace oomtrace::cli {

// oom_score_adj -1000 and mlockall(MCL_CURRENT|MCL_FUTURE|MCL_ONFAULT). What is refused comes back in words, once, and
// is gone on without. To be called once all is set up: what setting up needed for a while would stay locked.
std::vector<std::string> protect_self();

}  // namespace oomtrace::cli
