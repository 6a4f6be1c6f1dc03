// SPDX-License-Identifier: Apache-2.0
// Answers of whatif, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "oomtrace/whatif.h"
#include "report/render_text.h"

namespace oomtrace {

// Per incident who would be killed first and next, whether that is another, and the table that gives it. No line is
// wider than options.width; hostile names are escaped and cut.
std::string render_whatif_text(const std::vector<WhatIfAnswer>& answers, const TextOptions& options);

// {"schema": "oomtrace.whatif/1", "answers": [{"incident", "change": {"oom_score_adj": [{"pid", "value"}], "without",
// "limit_bytes"}, "victim_pid", "sequence", "other_victim", "total_pages", "headroom_bytes", "candidates", "notes"}]};
// candidates as in oomtrace.report/1.
std::string render_whatif_json(const std::vector<WhatIfAnswer>& answers);

}  // namespace oomtrace
