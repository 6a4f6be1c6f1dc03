// SPDX-License-Identifier: Apache-2.0
// What a trace says of the command that it was recorded for.
#pragma once

#include <string>
#include <vector>

namespace oomtrace::cli {

// As a shell would take it; with `redact`, what looks like a secret in it is masked as in the command lines of
// processes.
std::string recorded_command(const std::vector<std::string>& command, bool redact);

}  // namespace oomtrace::cli
