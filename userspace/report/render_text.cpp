// SPDX-License-Identifier: Apache-2.0
// The order of the sections.
#include "report/render_text.h"

#include <fmt/format.h>

#include "base/units.h"
#include "report/text_sections.h"
#include "report/text_words.h"

namespace oomtrace {

namespace {

void write_incident(Canvas& canvas, const Incident& incident) {
  canvas.blank();
  write_headline(canvas, incident);
  write_missing(canvas, incident);
  write_domain(canvas, incident);
  write_victims(canvas, incident);
  write_selection(canvas, incident);
  write_growth(canvas, incident);
  write_causes(canvas, incident);
  write_system(canvas, incident.system);
}

void write_no_incident(Canvas& canvas, const Report& report) {
  canvas.paragraph("No OOM kill: what was read shows nothing that the kernel killed for want of memory.", 0, 0,
                   Style::kBold);
  if (report.source.lost_events > 0)
    canvas.paragraph(
        fmt::format("{} lost, so a kill may be missing.", format_count(to_signed(report.source.lost_events), "event")),
        0, 0);
  if (report.deaths.empty() && report.diagnosis.empty())
    canvas.paragraph("Nor is there any other death or finding to report.", 0, 0);
}

}  // namespace

std::string render_text(const Report& report, const TextOptions& options) {
  Canvas canvas(options);
  if (report.incidents.empty()) write_no_incident(canvas, report);
  if (report.incidents.size() > 1)
    canvas.line(format_count(to_signed(report.incidents.size()), "incident"), Style::kBold);
  for (const Incident& incident : report.incidents) write_incident(canvas, incident);
  write_diagnosis(canvas, report);
  write_deaths(canvas, report.deaths);
  write_source(canvas, report.source);
  return canvas.take();
}

}  // namespace oomtrace
