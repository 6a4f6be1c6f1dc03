// SPDX-License-Identifier: Apache-2.0
// What was read, what it lost, and how each fact was seen.
#include <fmt/format.h>

#include "base/units.h"
#include "report/text_sections.h"
#include "report/text_words.h"

namespace oomtrace {

namespace {

std::string kind_text(const Canvas& canvas, const std::string& kind) {
  if (kind == "trace") return "trace";
  if (kind == "ndjson") return "stream of events (NDJSON)";
  if (kind == "kernel_log") return "kernel log";
  return kind.empty() ? kNotKnown : canvas.safe_cut(kind, 24);
}

void write_plan(Canvas& canvas, const std::vector<PlanFact>& plan) {
  if (plan.empty()) return;
  canvas.section("How each fact was seen");
  for (const PlanFact& fact : plan) {
    std::string text = fmt::format("{}: {}", canvas.safe_cut(fact.fact, 40), canvas.safe_cut(fact.way, 60));
    if (!fact.why_not_better.empty()) text += fmt::format(" ({})", canvas.safe(fact.why_not_better));
    canvas.paragraph(text, 2, 4);
  }
}

}  // namespace

void write_source(Canvas& canvas, const Source& source) {
  canvas.section("What this was read from");
  std::string what = kind_text(canvas, source.kind);
  if (!source.name.empty()) what += " " + canvas.safe_path(source.name, 200);
  canvas.fact("Source", what);
  if (source.host || source.kernel)
    canvas.fact("Machine", fmt::format("{}, kernel {}", text_or_unknown(canvas, source.host),
                                       text_or_unknown(canvas, source.kernel)));
  if (source.from || source.to)
    canvas.fact("Covers", fmt::format("{} to {}", source.from ? time_text(canvas, *source.from) : kNotKnown,
                                      source.to ? time_text(canvas, *source.to) : kNotKnown));
  if (const std::string chosen = chosen_text(canvas, source); !chosen.empty())
    canvas.fact("Chosen", "only what happened " + chosen);
  if (source.lost_events > 0)
    canvas.fact("Lost", format_count(to_signed(source.lost_events), "event") + "; what they told is missing above");
  for (const std::string& note : source.notes) canvas.prefixed("  - ", canvas.safe(note), 4);
  write_plan(canvas, source.plan);
}

}  // namespace oomtrace
