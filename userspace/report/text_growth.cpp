// SPDX-License-Identifier: Apache-2.0
// Who newly charged memory in the window before the kill, by role and by process.
#include <fmt/format.h>

#include "base/units.h"
#include "report/text_sections.h"
#include "report/text_table.h"
#include "report/text_words.h"

namespace oomtrace {

namespace {

void write_no_recorder(Canvas& canvas) {
  canvas.paragraph("Not known: no recorder was running before the kill.", 2, 2);
  canvas.paragraph(
      "A recording would tell which process grew, by how much, since when and by which kind of memory: fresh, copied "
      "after fork, file, shmem or swap. Start it beside the next run: sudo oomtrace record",
      2, 2);
}

std::string window_text(const Canvas& canvas, const Growth& growth) {
  std::string text = fmt::format("{} in all", format_bytes_signed(growth.grown_bytes));
  if (growth.from) text += ", from " + time_text(canvas, *growth.from);
  if (growth.to) text += " to " + clock_text(canvas, *growth.to);
  if (const auto span = span_text(growth.from, growth.to)) text += fmt::format(" ({})", *span);
  if (!growth.from && !growth.to) text += "; the window is not known";
  return text + ".";
}

void write_roles(Canvas& canvas, const std::vector<RoleGrowth>& roles) {
  if (roles.empty()) return;
  canvas.blank();
  Table table({{"role", false, 4, 6}, {"processes", true, 1}, {"grown", true, 3}, {"share", true, 2}});
  for (std::size_t i = 0; i < roles.size() && i < kTableRows; ++i)
    table.add({canvas.safe_cut(roles[i].role, 24), format_count(roles[i].count),
               format_bytes_signed(roles[i].grown_bytes), format_percent(roles[i].share)});
  table.write(canvas, 2);
  if (roles.size() > kTableRows) write_more(canvas, roles.size() - kTableRows, "role is", "roles are");
}

void write_processes(Canvas& canvas, const std::vector<ProcessGrowth>& processes) {
  if (processes.empty()) return;
  canvas.blank();
  Table table({{"pid", true, 90},
               {"name", false, 80, 6},
               {"role", false, 30, 6},
               {"grown", true, 100},
               {"share", true, 70},
               {"fresh", true, 60},
               {"copied", true, 55},
               {"file", true, 40},
               {"shmem", true, 45},
               {"swap", true, 35}});
  for (std::size_t i = 0; i < processes.size() && i < kTableRows; ++i) {
    const ProcessGrowth& process = processes[i];
    std::vector<std::string> cells = {std::to_string(process.pid),
                                      name_text(canvas, process.comm),
                                      process.role ? canvas.safe_cut(*process.role, 24) : kUnknownCell,
                                      format_bytes_signed(process.grown_bytes),
                                      format_percent(process.share),
                                      bytes_cell(process.fresh_anon_bytes),
                                      bytes_cell(process.cow_copied_bytes),
                                      bytes_cell(process.file_bytes),
                                      bytes_cell(process.shmem_bytes),
                                      bytes_cell(process.swap_bytes)};
    table.add(std::move(cells));
  }
  table.write(canvas, 2, "fresh, copied, file, shmem and swap are parts of grown.");
  if (processes.size() > kTableRows) write_more(canvas, processes.size() - kTableRows, "process is", "processes are");
}

}  // namespace

void write_growth(Canvas& canvas, const Incident& incident) {
  canvas.section("Who grew");
  if (!incident.growth) {
    write_no_recorder(canvas);
    return;
  }
  const Growth& growth = *incident.growth;
  canvas.paragraph(window_text(canvas, growth), 2, 2);
  write_roles(canvas, growth.roles);
  write_timeline(canvas, growth);
  write_processes(canvas, growth.processes);
  if (growth.duplicated) canvas.paragraph(duplicated_text(*growth.duplicated) + ".", 2, 2);
}

}  // namespace oomtrace
