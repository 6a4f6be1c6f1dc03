// SPDX-License-Identifier: Apache-2.0
// The one line that a kill puts on the terminal at once.
#pragma once

#include <span>
#include <string_view>

#include "oomtrace/event.h"

namespace oomtrace::sink {

// "killed python3 (pid 4711, 318.4 MiB): memory cgroup /job at its limit of 320.0 MiB, triggered by python3 (pid
// 4709)". Written into `buffer`, cut where it ends; foreign text is made inert. Allocates nothing.
std::string_view format_kill_line(const OomKill& kill, std::span<char> buffer);

}  // namespace oomtrace::sink
