// SPDX-License-Identifier: Apache-2.0
// The sections of a text report; each writes nothing where it has nothing to say.
#pragma once

#include "oomtrace/report.h"
#include "report/text_canvas.h"

namespace oomtrace {

void write_headline(Canvas& canvas, const Incident& incident);
void write_domain(Canvas& canvas, const Incident& incident);
void write_victims(Canvas& canvas, const Incident& incident);
void write_selection(Canvas& canvas, const Incident& incident);
void write_growth(Canvas& canvas, const Incident& incident);
void write_causes(Canvas& canvas, const Incident& incident);
void write_system(Canvas& canvas, const SystemState& system);
void write_missing(Canvas& canvas, const Incident& incident);
void write_diagnosis(Canvas& canvas, const Report& report);
void write_deaths(Canvas& canvas, const std::vector<Death>& deaths);
void write_source(Canvas& canvas, const Source& source);

}  // namespace oomtrace
