// SPDX-License-Identifier: Apache-2.0
// The task table of dump_tasks(), mm/oom_kill.c: header and rows of all kernels that had one (2.6.25 and later).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "kernel_log/oom_report.h"

namespace oomtrace::kernel_log {

enum class Column : std::uint8_t {
  kUid,
  kTgid,
  kTotalVm,
  kRss,
  kRssAnon,
  kRssFile,
  kRssShmem,
  kPgtablesBytes,
  kNrPtes,
  kNrPmds,
  kNrPuds,
  kSwapents,
  kCpu,
  kOomAdj,
  kOomScoreAdj,
  kUnknown,
};

// The columns between "[ pid ]" and "name"; nullopt if the line is no header. A header that was cut gives what is left.
std::optional<std::vector<Column>> parse_table_header(std::string_view message);

// One row by the header's columns. With no columns known (the header is not in the log) they are told by how many
// numbers there are; what could be two things is left open. nullopt if the line is no row.
std::optional<TaskRow> parse_table_row(std::string_view message, const std::vector<Column>& columns);

// A row that ends before its name, as wrapping leaves it; and whether all its numbers are there.
bool is_unfinished_row(std::string_view message);
bool row_lacks_only_name(std::string_view message);

}  // namespace oomtrace::kernel_log
