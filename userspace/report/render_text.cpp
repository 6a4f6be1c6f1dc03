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

// What was found, and what to change first.
void write_first_finding(Canvas& canvas, const Report& report) {
  if (report.diagnosis.empty()) return;
  const Diagnosis& first = report.diagnosis.front();
  canvas.headline("Found", canvas.safe(first.cause.summary));
  if (const Remedy* begin = first_step(first.remedies)) canvas.headline("Change", canvas.safe(begin->title));
}

// "5 incidents lie outside of that time, from 2026-11-24 08:49:12 UTC to 2026-11-24 08:50:00 UTC"
std::string outside_text(const Canvas& canvas, const Source& source) {
  std::string text =
      fmt::format("{} {} outside of that time", format_count(to_signed(source.incidents_outside), "incident"),
                  source.incidents_outside == 1 ? "lies" : "lie");
  if (source.outside_from && source.outside_from == source.outside_to)
    return text + ", at " + time_text(canvas, *source.outside_from);
  if (source.outside_from && source.outside_to)
    text +=
        fmt::format(", from {} to {}", time_text(canvas, *source.outside_from), time_text(canvas, *source.outside_to));
  return text;
}

void write_left_out(Canvas& canvas, const Source& source) {
  if (source.incidents_outside == 0) return;
  const std::string chosen = chosen_text(canvas, source);
  canvas.paragraph(fmt::format("Only what happened {} is shown; {}.", chosen.empty() ? "in the time chosen" : chosen,
                               outside_text(canvas, source)),
                   0, 0);
}

void write_no_incident(Canvas& canvas, const Report& report) {
  const std::string chosen = chosen_text(canvas, report.source);
  if (chosen.empty() && report.source.incidents_outside == 0) {
    canvas.paragraph("No OOM kill: what was read shows nothing that the kernel killed for want of memory.", 0, 0,
                     Style::kBold);
  } else {
    canvas.paragraph(fmt::format("No OOM kill {}.", chosen.empty() ? "in the time chosen" : chosen), 0, 0,
                     Style::kBold);
    if (report.source.incidents_outside > 0)
      canvas.paragraph(outside_text(canvas, report.source) + ": choose again with --since and --until.", 0, 0,
                       Style::kBold);
  }
  if (report.source.lost_events > 0)
    canvas.paragraph(
        fmt::format("{} lost, so a kill may be missing.", format_count(to_signed(report.source.lost_events), "event")),
        0, 0);
  if (report.deaths.empty() && report.diagnosis.empty())
    canvas.paragraph(
        fmt::format("Nor is there any other death or finding to report{}.", chosen.empty() ? "" : " of that time"), 0,
        0);
  write_first_finding(canvas, report);
}

}  // namespace

std::string render_text(const Report& report, const TextOptions& options) {
  Canvas canvas(options);
  if (report.incidents.empty()) write_no_incident(canvas, report);
  const std::size_t count = report.incidents.size();
  if (count > 1) canvas.line(format_count(to_signed(count), "incident"), Style::kBold);
  if (count > 0) write_left_out(canvas, report.source);
  const bool many = options.most_in_full > 0 && count > options.most_in_full;
  const std::size_t in_full = many ? options.most_in_full : count;
  if (many) write_overview(canvas, report.incidents, in_full);
  for (std::size_t i = 0; i < in_full; ++i) write_incident(canvas, report.incidents[i]);
  write_diagnosis(canvas, report);
  write_deaths(canvas, report.deaths);
  write_source(canvas, report.source);
  return canvas.take();
}

}  // namespace oomtrace
