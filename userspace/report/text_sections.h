// SPDX-License-Identifier: Apache-2.0
// The sections of a text report; each writes nothing where it has nothing to say.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "oomtrace/report.h"
#include "report/text_canvas.h"

namespace oomtrace {

void write_headline(Canvas& canvas, const Incident& incident);
// One row for each incident, and how to see those in full that come after the first `in_full`.
void write_overview(Canvas& canvas, const std::vector<Incident>& incidents, std::size_t in_full);
void write_domain(Canvas& canvas, const Incident& incident);
void write_victims(Canvas& canvas, const Incident& incident);
void write_selection(Canvas& canvas, const Incident& incident);
// Those that were weighed, adding up row by row, and those that were not; `note` says what the mark of a victim means.
void write_candidates(Canvas& canvas, const std::vector<Candidate>& candidates, std::string_view note);
// Total pages, and what one unit of oom_score_adj weighs.
void write_total_pages(Canvas& canvas, const std::optional<std::uint64_t>& total_pages);
void write_growth(Canvas& canvas, const Incident& incident);
// Between the roles and the processes of write_growth().
void write_timeline(Canvas& canvas, const Growth& growth);
void write_causes(Canvas& canvas, const Incident& incident);
void write_remedies(Canvas& canvas, const std::vector<Remedy>& remedies);
// The first with something to do: what only says what not to do has neither command nor code. nullptr: none.
const Remedy* first_step(const std::vector<Remedy>& remedies);
void write_system(Canvas& canvas, const SystemState& system);
void write_missing(Canvas& canvas, const Incident& incident);
void write_diagnosis(Canvas& canvas, const Report& report);
void write_deaths(Canvas& canvas, const std::vector<Death>& deaths);
void write_source(Canvas& canvas, const Source& source);

}  // namespace oomtrace
