// SPDX-License-Identifier: Apache-2.0
// The task table of dump_tasks(): header and rows.
#include "kernel_log/task_table.h"

#include <array>
#include <string>
#include <utility>

#include "kernel_log/clean_line.h"
#include "kernel_log/scan.h"

namespace oomtrace::kernel_log {
namespace {

constexpr std::array<std::pair<std::string_view, Column>, 15> kNames{{{"uid", Column::kUid},
                                                                      {"tgid", Column::kTgid},
                                                                      {"total_vm", Column::kTotalVm},
                                                                      {"rss", Column::kRss},
                                                                      {"rss_anon", Column::kRssAnon},
                                                                      {"rss_file", Column::kRssFile},
                                                                      {"rss_shmem", Column::kRssShmem},
                                                                      {"pgtables_bytes", Column::kPgtablesBytes},
                                                                      {"nr_ptes", Column::kNrPtes},
                                                                      {"nr_pmds", Column::kNrPmds},
                                                                      {"nr_puds", Column::kNrPuds},
                                                                      {"swapents", Column::kSwapents},
                                                                      {"cpu", Column::kCpu},
                                                                      {"oom_adj", Column::kOomAdj},
                                                                      {"oom_score_adj", Column::kOomScoreAdj}}};

// "[  1234] ": the pid of a row.
std::optional<std::uint32_t> take_pid(std::string_view& s) {
  s = trim_front(s);
  if (!take(s, '[')) return std::nullopt;
  s = trim_front(s);
  const auto pid = take_number<std::uint32_t>(s);
  s = trim_front(s);
  if (!pid || !take(s, ']')) return std::nullopt;
  return pid;
}

// A number with a blank or the line's end behind it.
std::optional<std::int64_t> take_cell(std::string_view& s) {
  std::string_view t = trim_front(s);
  const auto value = take_number<std::int64_t>(t);
  if (!value || (!t.empty() && !is_blank(t.front()))) return std::nullopt;
  s = t;
  return value;
}

std::vector<std::int64_t> leading_cells(std::string_view s, std::size_t limit) {
  std::vector<std::int64_t> cells;
  while (cells.size() < limit) {
    const auto cell = take_cell(s);
    if (!cell) break;
    cells.push_back(*cell);
  }
  return cells;
}

// Columns of a row whose header is lost, by the numbers that stand before the name.
std::vector<Column> guess_columns(std::string_view cells_text) {
  using enum Column;
  std::size_t numbers = leading_cells(cells_text, 16).size();
  std::string_view rest = cells_text;
  for (std::size_t i = 0; i < numbers; ++i) take_cell(rest);
  if (trim(rest).empty() && numbers > 0) --numbers;  // the last one is a name made of digits
  std::vector<Column> columns{kUid, kTgid, kTotalVm, kRss};
  if (numbers >= 10) {
    columns.insert(columns.end(), {kRssAnon, kRssFile, kRssShmem, kPgtablesBytes, kSwapents, kOomScoreAdj});
  } else if (numbers == 8 || numbers == 9) {
    columns.insert(columns.end(), {kNrPtes, kNrPmds});
    if (numbers == 9) columns.push_back(kNrPuds);
    columns.insert(columns.end(), {kSwapents, kOomScoreAdj});
  } else if (numbers == 7) {
    const auto cells = leading_cells(cells_text, 7);
    if (cells[4] >= 4096 && cells[4] % 4096 == 0) {
      columns.insert(columns.end(), {kPgtablesBytes, kSwapents, kOomScoreAdj});
    } else {
      // nr_ptes, swapents or, before 3.7, cpu, oom_adj: only the last column is the same.
      columns.insert(columns.end(), {kUnknown, kUnknown, kOomScoreAdj});
    }
  } else if (numbers == 6) {
    columns.insert(columns.end(), {kCpu, kOomAdj});
  }
  return columns;
}

void set_cell(TaskRow& row, Column column, std::int64_t value) {
  const auto unsigned_value = value < 0 ? 0 : static_cast<std::uint64_t>(value);
  switch (column) {
    case Column::kUid:
      row.uid = static_cast<std::uint32_t>(unsigned_value);
      break;
    case Column::kTgid:
      row.tgid = static_cast<std::uint32_t>(unsigned_value);
      break;
    case Column::kTotalVm:
      row.total_vm = unsigned_value;
      break;
    case Column::kRss:
      row.rss = unsigned_value;
      break;
    case Column::kRssAnon:
      row.rss_anon = value;
      break;
    case Column::kRssFile:
      row.rss_file = value;
      break;
    case Column::kRssShmem:
      row.rss_shmem = value;
      break;
    case Column::kPgtablesBytes:
      row.pgtables = unsigned_value;
      row.pgtables_in_bytes = true;
      break;
    case Column::kNrPtes:
    case Column::kNrPmds:
    case Column::kNrPuds:
      row.pgtables = row.pgtables.value_or(0) + unsigned_value;
      break;
    case Column::kSwapents:
      row.swapents = unsigned_value;
      break;
    case Column::kOomScoreAdj:
      if (value >= -1000 && value <= 1000) row.oom_score_adj = static_cast<std::int32_t>(value);
      break;
    case Column::kCpu:
    case Column::kOomAdj:
    case Column::kUnknown:
      break;
  }
}

}  // namespace

std::optional<std::vector<Column>> parse_table_header(std::string_view message) {
  std::string_view s = trim_front(message);
  if (!take(s, '[')) return std::nullopt;
  s = trim_front(s);
  if (!take(s, "pid")) return std::nullopt;
  s = trim_front(s);
  if (!take(s, ']')) return std::nullopt;
  std::vector<Column> columns;
  while (!(s = trim_front(s)).empty()) {
    const std::string_view word = take_word(s);
    if (word == "name") break;
    if (ends_cut(word)) break;
    Column column = Column::kUnknown;
    for (const auto& [name, known] : kNames) {
      if (word == name) column = known;
    }
    columns.push_back(column);
    if (columns.size() == 24) break;
  }
  if (columns.size() < 3 || columns[0] != Column::kUid || columns[1] != Column::kTgid) return std::nullopt;
  return columns;
}

std::optional<TaskRow> parse_table_row(std::string_view message, const std::vector<Column>& known) {
  std::string_view s = message;
  const auto pid = take_pid(s);
  if (!pid) return std::nullopt;
  if (leading_cells(s, 4).size() < 4) return std::nullopt;
  const std::vector<Column> columns = known.empty() ? guess_columns(s) : known;
  TaskRow row;
  row.pid = *pid;
  row.tgid = *pid;
  bool whole = true;
  for (const Column column : columns) {
    const auto cell = take_cell(s);
    if (!cell) {
      whole = false;
      break;
    }
    if ((column == Column::kTgid || column == Column::kUid) && (*cell < 0 || *cell > 0xffffffffLL)) return std::nullopt;
    set_cell(row, column, *cell);
  }
  const std::string_view name = trim(s);
  // One number too many before the name: a break went through the middle of one, and none can be trusted.
  std::string_view rest = name;
  if (whole && take_cell(rest) && !trim(rest).empty()) {
    TaskRow bare;
    bare.pid = row.pid;
    bare.uid = row.uid;
    bare.tgid = row.tgid;
    return bare;
  }
  // A cut row ends in dots where numbers should be: what is left of them is no name.
  if (whole && !ends_cut(name)) row.comm = unescape(name.substr(0, 64));
  return row;
}

bool is_unfinished_row(std::string_view message) {
  std::string_view s = message;
  if (!take_pid(s)) return false;
  const std::size_t cells = leading_cells(s, 16).size();
  if (cells < 2 || cells > 10) return false;
  for (std::size_t i = 0; i < cells; ++i) take_cell(s);
  return trim(s).empty();
}

bool row_lacks_only_name(std::string_view message) {
  std::string_view s = message;
  if (!take_pid(s)) return false;
  const std::size_t cells = leading_cells(s, 16).size();
  return cells == 7 || cells == 8 || cells == 10;
}

}  // namespace oomtrace::kernel_log
