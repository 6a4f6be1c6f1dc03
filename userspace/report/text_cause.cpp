// SPDX-License-Identifier: Apache-2.0
// The cause with the numbers it rests on.
#include <fmt/format.h>

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
