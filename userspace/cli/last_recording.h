// SPDX-License-Identifier: Apache-2.0
// Which files of a recording in segments tell of its last kill.
#pragma once

#include <string>
#include <vector>

namespace oomtrace::cli {

// `newest` is the newest file of its directory. Of a segment: the last segment there that has a kill, whichever
// recording it is of (a machine that was started anew has a new one), the one before it of the same recording (growth
// began there, perhaps) and those of the same recording that follow; where there is no kill the newest alone. Of any
// other file: itself.
std::vector<std::string> segments_of_last_kill(const std::string& newest);

}  // namespace oomtrace::cli
