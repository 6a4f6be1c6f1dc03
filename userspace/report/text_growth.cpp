// SPDX-License-Identifier: Apache-2.0
// Who newly charged memory in the window before the kill, by role and by process.
#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"
#include "report/text_sections.h"
#include "report/text_table.h"
#include "report/text_words.h"

namespace oomtrace {

namespace {

void write_not_recorded(Canvas& canvas, const Incident& incident) {
  if (incident.growth_left_out) {
    canvas.paragraph("Not weighed: there are more kills, and processes beside them, than one report weighs.", 2, 2);
    return;
  }
  if (incident.narrowed) {
    canvas.paragraph("Not recorded: the recording was narrowed to chosen processes, cgroups or kinds of event.", 2, 2);
    return;
  }
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

// What others than processes took is among it: page cache, tmpfs files, kernel memory.
std::string charged_text(const Canvas& canvas, const Domain& domain, const ChargedRise& rise) {
  constexpr std::int64_t kSmall = 1 << 20;
  const char* const whose = domain.kind == "memcg" ? "Charged to the cgroup:" : "The machine's use:";
  std::string text = fmt::format("{} {} in that time", whose, format_bytes_signed(rise.bytes));
  if (rise.lead_ns > 0) text += fmt::format(" and the {} before it", format_duration(rise.lead_ns));
  std::string parts;
  for (const LedgerLine& line : rise.ledger) {
    if (line.bytes > -kSmall && line.bytes < kSmall) continue;
    if (!parts.empty()) parts += ", ";
    parts += fmt::format("{} {}", canvas.safe_cut(line.what, 60), format_bytes_signed(line.bytes));
  }
  if (!parts.empty()) text += fmt::format(" ({})", parts);
  return text + fmt::format("; {} in no line of its ledger.", format_bytes_signed(rise.residue_bytes));
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

using Figure = std::optional<std::int64_t> ProcessGrowth::*;

bool any(const std::vector<ProcessGrowth>& processes, Figure figure) {
  return std::any_of(processes.begin(), processes.end(),
                     [&](const ProcessGrowth& process) { return (process.*figure).value_or(0) != 0; });
}

void write_processes(Canvas& canvas, const std::vector<ProcessGrowth>& processes, std::size_t left_out) {
  if (processes.empty()) return;
  canvas.blank();
  const bool shared = any(processes, &ProcessGrowth::shared_bytes);
  const bool pgtables = any(processes, &ProcessGrowth::pgtables_bytes);
  Table table({{"pid", true, 90},
               {"name", false, 80, 6},
               {"role", false, 30, 6, "", true},
               {"rank", true, 25},
               {"grown", true, 100},
               {"share", true, 70},
               {"fresh", true, 60},
               {"copied", true, 55},
               {"file", true, 40},
               {"shmem", true, 45},
               {"swap", true, 35},
               {"shared", true, 20, 0, "", false, true},
               {"pgtables", true, 15, 0, "", false, true}});
  for (std::size_t i = 0; i < processes.size() && i < kTableRows; ++i) {
    const ProcessGrowth& process = processes[i];
    std::vector<std::string> cells = {std::to_string(process.pid),
                                      name_text(canvas, process.comm),
                                      role_cell(canvas, process.role, process.place),
                                      rank_cell(process.place),
                                      format_bytes_signed(process.grown_bytes),
                                      format_percent(process.share),
                                      bytes_cell(process.fresh_anon_bytes),
                                      bytes_cell(process.cow_copied_bytes),
                                      bytes_cell(process.file_bytes),
                                      bytes_cell(process.shmem_bytes),
                                      bytes_cell(process.swap_bytes),
                                      shared ? bytes_cell(process.shared_bytes) : "",
                                      pgtables ? bytes_cell(process.pgtables_bytes) : ""};
    table.add(std::move(cells));
  }
  std::string note = "fresh, copied, file, shmem and swap are parts of grown";
  if (shared && pgtables)
    note += "; shared (with its family, since the fork) and pgtables are not";
  else if (shared)
    note += "; shared (with its family, since the fork) is not";
  else if (pgtables)
    note += "; pgtables are not";
  table.write(canvas, 2, note + ".");
  const std::size_t shown = std::min(processes.size(), kTableRows);
  const std::size_t more = processes.size() - shown + left_out;
  if (more > 0) write_more(canvas, more, "process is", "processes are");
}

}  // namespace

void write_growth(Canvas& canvas, const Incident& incident) {
  canvas.section("Who grew");
  if (!incident.growth) {
    write_not_recorded(canvas, incident);
    return;
  }
  const Growth& growth = *incident.growth;
  canvas.paragraph(window_text(canvas, growth), 2, 2);
  if (incident.narrowed)
    canvas.paragraph("Of what was chosen alone, as are the shares: the recording was narrowed to it.", 2, 2);
  canvas.paragraph(growth.charged ? charged_text(canvas, incident.domain, *growth.charged)
                                  : "What its limit saw in that time is not known: counters are told once a second.",
                   2, 2);
  write_roles(canvas, growth.roles);
  write_timeline(canvas, growth);
  write_processes(canvas, growth.processes, growth.left_out.count);
  if (growth.duplicated) canvas.paragraph(duplicated_text(*growth.duplicated) + ".", 2, 2);
}

}  // namespace oomtrace
