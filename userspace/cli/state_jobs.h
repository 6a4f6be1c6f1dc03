// SPDX-License-Identifier: Apache-2.0
// What a recorder's helper does in the state directory: post-mortems, and keeping it within its age and size.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/state_options.h"

namespace oomtrace::cli {

struct PostMortem {
  std::uint64_t incident = 0;
  std::string output;  // name of the files, without .json and .txt
};

// The reports of some incidents, one each, from `segments`, names of files. Of each segment its thinned form will do;
// one that is gone is left out.
std::vector<std::string> post_mortem_job(const std::vector<PostMortem>& post_mortems,
                                         const std::vector<std::string>& segments);

// `keep` is the segment that is being written. Ages are reckoned by a clock that lags behind this one by `lag_ns`. So
// many bytes of the file system stay free, as far as removing own files brings it about.
std::vector<std::string> tidy_job(const StateOptions& options, std::int64_t lag_ns, std::uint64_t reserve_bytes,
                                  const std::string& keep);

// A HelperWork: in the state directory, as its owner. Returns the exit status.
int do_state_job(const std::vector<std::string>& job);

}  // namespace oomtrace::cli
