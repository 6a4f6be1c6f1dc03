// SPDX-License-Identifier: Apache-2.0
// What /proc tells of one process: read once for processes that matter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "oomtrace/event.h"

namespace oomtrace::capture {

// Owns what a ProcessInfo event views.
struct OwnedProcessInfo {
  std::uint32_t pid = 0;
  std::uint64_t start_boot_ns = 0;
  std::string comm, executable, command_line, cgroup_path;
  bool command_line_truncated = false;
  std::optional<std::uint32_t> parent_pid, uid;
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::string> libraries, threads;

  ProcessInfo view() const;
};

// Reads the process if it is still the one that started at `start_boot_ns` (0: whichever has the pid).
// nullopt where it has gone or is another. Files that are refused or empty leave their fields empty.
std::optional<OwnedProcessInfo> read_process_info(std::uint32_t pid, std::uint64_t start_boot_ns, bool redact);

// --- parsers, for tests and fuzzing ---

// /proc/PID/stat: field 4 (parent) and 22 (start time in clock ticks since boot). comm may hold any byte.
struct StatFields {
  std::uint32_t parent_pid = 0;
  std::uint64_t start_ticks = 0;
};
std::optional<StatFields> parse_stat(std::string_view text);

// Path of the memory controller's (v1) or the unified (v2) line of /proc/PID/cgroup; empty = none.
std::string parse_cgroup_path(std::string_view text);

// NAME=VALUE of the fixed list of launcher and scheduler variables; everything else is dropped unread. With
// `redact`, what looks like a secret in a value is masked.
std::vector<std::pair<std::string, std::string>> select_environment(std::string_view environ_bytes, bool redact);

// Base names of mapped libraries and accelerators' devices that tell a role (libtorch, nvidia0, ...), each once.
std::vector<std::string> select_libraries(std::string_view maps);

}  // namespace oomtrace::capture
