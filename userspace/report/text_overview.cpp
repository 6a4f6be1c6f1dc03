// SPDX-License-Identifier: Apache-2.0
// Many incidents: a line for each.
#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"
#include "report/text_sections.h"
#include "report/text_table.h"
#include "report/text_words.h"

namespace oomtrace {

namespace {

constexpr std::size_t kOverviewRows = 100;

std::string victims_text(const Canvas& canvas, const Incident& incident) {
  if (incident.victims.empty()) return kUnknownCell;
  const Victim& first = incident.victims.front();
  std::string text = fmt::format("{} ({})", name_text(canvas, first.comm), first.pid);
  if (incident.victims.size() > 1) text += fmt::format(" +{}", incident.victims.size() - 1);
  return text;
}

std::string driver_cell(const Canvas& canvas, const Incident& incident) {
  if (!incident.growth || !incident.growth->driver) return kUnknownCell;
  const Driver& driver = *incident.growth->driver;
  if (!driver.pid) return canvas.safe_cut(driver.role.value_or(kNotKnown), 24);
  return fmt::format("{} ({})", name_text(canvas, driver.comm.value_or("")), *driver.pid);
}

}  // namespace

void write_overview(Canvas& canvas, const std::vector<Incident>& incidents, std::size_t in_full) {
  canvas.blank();
  Table table({{"no", true, 100},
               {"time", false, 70},
               {"domain", false, 60, 8},
               {"killed", false, 90, 10},
               {"driven by", false, 75, 10},
               {"cause", false, 95, 10},
               {"confidence", true, 50}});
  const std::size_t shown = std::min(incidents.size(), kOverviewRows);
  for (std::size_t i = 0; i < shown; ++i) {
    const Incident& incident = incidents[i];
    const Cause& cause = incident.cause;
    const bool named = !cause.kind.empty() && cause.kind != "unknown";
    table.add({std::to_string(incident.id), incident.time ? clock_text(canvas, *incident.time) : kUnknownCell,
               incident.domain.cgroup ? canvas.safe_path(*incident.domain.cgroup, 30)
                                      : canvas.safe_cut(incident.domain.kind, 16),
               victims_text(canvas, incident), driver_cell(canvas, incident),
               cause.kind.empty() ? kUnknownCell : canvas.safe_cut(cause.kind, 30),
               named ? format_percent(cause.confidence) : ""});
  }
  table.write(canvas, 2);
  write_more(canvas, incidents.size() - shown, "incident is", "incidents are");
  canvas.paragraph(fmt::format("The first {} {} in full below; --incident NO shows another one, --all all of them.",
                               in_full, in_full == 1 ? "follows" : "follow"),
                   2, 2);
}

}  // namespace oomtrace
