// SPDX-License-Identifier: Apache-2.0
// The cause with the numbers it rests on, and what to change.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "base/units.h"
#include "report/text_sections.h"
#include "report/text_words.h"

namespace oomtrace {

namespace {

constexpr double kWholeLimit = 9.0e15;  // below, a double holds every whole number

std::string number_text(double value) {
  if (!std::isfinite(value)) return kNotKnown;
  if (std::fabs(value) >= kWholeLimit) return fmt::format("{:.3g}", value);
  if (value == std::floor(value) || std::fabs(value) >= 1000)
    return format_count(static_cast<std::int64_t>(std::llround(value)));
  return fmt::format("{:.2f}", value);
}

std::string value_text(const Canvas& canvas, const Evidence& evidence) {
  const std::string& unit = evidence.unit;
  const bool small = std::isfinite(evidence.value) && std::fabs(evidence.value) < kWholeLimit;
  if (small && unit == "bytes") return format_bytes(std::llround(evidence.value));
  if (small && unit == "bytes/s") return format_bytes(std::llround(evidence.value)) + "/s";
  if (small && unit == "share") return format_percent(evidence.value);
  if (small && (unit == "ns" || unit == "nanoseconds") && evidence.value >= 0)
    return format_duration(static_cast<std::uint64_t>(evidence.value));
  if (unit.empty() || unit == "ratio") return number_text(evidence.value);
  return fmt::format("{} {}", number_text(evidence.value), canvas.safe_cut(unit, 24));
}

void write_cause(Canvas& canvas, const Cause& cause) {
  if (cause.kind.empty() || cause.kind == "unknown") {
    canvas.paragraph("unknown: what was seen fits no known pattern well enough", 2, 4);
  } else {
    canvas.paragraph(
        fmt::format("{} (confidence {})", canvas.safe_cut(cause.kind, 60), format_percent(cause.confidence)), 2, 4);
  }
  if (!cause.summary.empty()) canvas.paragraph(canvas.safe(cause.summary), 4, 4);
  for (const Evidence& evidence : cause.evidence)
    canvas.prefixed("    - ",
                    fmt::format("{}: {} (from {})", canvas.safe(evidence.what), value_text(canvas, evidence),
                                evidence.source.empty() ? kNotKnown : canvas.safe(evidence.source)),
                    6);
}

// Whether breaking at a blank and continuing with a backslash leaves the command what it is to a shell: nothing is
// quoted or commented out, and each word fits on a line.
bool may_continue(const std::string& command, std::size_t room) {
  if (command.find_first_of("'\"\\#") != std::string::npos) return false;
  for (std::size_t start = 0; start < command.size();) {
    const std::size_t end = std::min(command.find(' ', start), command.size());
    if (display_width(std::string_view(command).substr(start, end - start)) > room) return false;
    start = end + 1;
  }
  return true;
}

void write_command(Canvas& canvas, const std::string& command) {
  const std::string text = canvas.safe(command);
  const std::size_t room = canvas.width() - 9;
  const char* more = may_continue(text, room) ? " \\" : "";
  const std::vector<std::string> pieces = wrap_text(text, room, room);
  for (std::size_t i = 0; i < pieces.size(); ++i)
    canvas.line(fmt::format("{}{}{}", i == 0 ? "     $ " : "       ", pieces[i], i + 1 < pieces.size() ? more : ""));
}

void write_remedies(Canvas& canvas, const std::vector<Remedy>& remedies) {
  if (remedies.empty()) return;
  canvas.section("What to change");
  for (std::size_t i = 0; i < remedies.size(); ++i) {
    const Remedy& remedy = remedies[i];
    canvas.prefixed(fmt::format("  {}. ", i + 1), canvas.safe(remedy.title), 5);
    if (remedy.command) write_command(canvas, *remedy.command);
    if (!remedy.why.empty()) canvas.prefixed("     why: ", canvas.safe(remedy.why), 10);
    if (!remedy.risk.empty()) canvas.prefixed("     risk: ", canvas.safe(remedy.risk), 11);
  }
}

}  // namespace

void write_causes(Canvas& canvas, const Incident& incident) {
  canvas.section("Cause");
  write_cause(canvas, incident.cause);
  if (!incident.contributing.empty()) {
    canvas.section("Also at work");
    for (const Cause& cause : incident.contributing) write_cause(canvas, cause);
  }
  write_remedies(canvas, incident.remedies);
}

void write_diagnosis(Canvas& canvas, const Report& report) {
  for (const Diagnosis& diagnosis : report.diagnosis) {
    canvas.section("What was found");
    write_cause(canvas, diagnosis.cause);
    write_remedies(canvas, diagnosis.remedies);
  }
}

}  // namespace oomtrace
