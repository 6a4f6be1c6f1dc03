// SPDX-License-Identifier: Apache-2.0
// The machine around the kill, and what is not there to be told.
#include <fmt/format.h>

#include "base/units.h"
#include "report/text_sections.h"
#include "report/text_table.h"
#include "report/text_words.h"

namespace oomtrace {

namespace {

std::string mode_text(std::int64_t mode) {
  if (mode == 0) return "0 (heuristic)";
  if (mode == 1) return "1 (always)";
  if (mode == 2) return "2 (strict)";
  return std::to_string(mode);
}

std::string overcommit_text(const Overcommit& overcommit) {
  std::string text = "mode " + (overcommit.mode ? mode_text(*overcommit.mode) : std::string(kNotKnown));
  if (overcommit.ratio) text += fmt::format(", ratio {} %", *overcommit.ratio);
  return fmt::format("{}, committed {} of {}", text, bytes_or_unknown(overcommit.committed_bytes),
                     bytes_or_unknown(overcommit.limit_bytes));
}

std::string pressure_text(const std::optional<double>& percent) {
  return percent ? fmt::format("{:.2f} %", *percent) : kNotKnown;
}

}  // namespace

void write_system(Canvas& canvas, const SystemState& system) {
  const Overcommit& overcommit = system.overcommit;
  const bool overcommit_known =
      overcommit.mode || overcommit.ratio || overcommit.limit_bytes || overcommit.committed_bytes;
  const bool pressure_known = system.psi_memory_some_avg10 || system.psi_memory_full_avg10;
  if (!overcommit_known && !pressure_known && !system.balloon_bytes && system.memory.empty()) return;
  canvas.section("The machine");
  if (overcommit_known) canvas.fact("Overcommit", overcommit_text(overcommit));
  if (pressure_known)
    canvas.fact("Stalled",
                fmt::format("some {}, all {} of the 10 s before", pressure_text(system.psi_memory_some_avg10),
                            pressure_text(system.psi_memory_full_avg10)));
  if (system.balloon_bytes) canvas.fact("Balloon", format_bytes(*system.balloon_bytes) + " taken by the hypervisor");
  if (system.memory.empty()) return;
  Table table({{"memory", false, 1, 12}, {"bytes", true, 2}});
  for (std::size_t i = 0; i < system.memory.size() && i < kTableRows; ++i)
    table.add({canvas.safe_cut(system.memory[i].what, 40), format_bytes(system.memory[i].bytes)});
  table.write(canvas, 2);
  if (system.memory.size() > kTableRows) write_more(canvas, system.memory.size() - kTableRows, "line is", "lines are");
}

void write_missing(Canvas& canvas, const Incident& incident) {
  if (incident.complete && incident.missing.empty()) return;
  canvas.section("What is not known");
  if (incident.missing.empty()) canvas.paragraph("This incident is incomplete.", 2, 2);
  for (const std::string& item : incident.missing) canvas.prefixed("  - ", canvas.safe(item), 4);
}

}  // namespace oomtrace
