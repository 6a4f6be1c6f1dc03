// SPDX-License-Identifier: Apache-2.0
// Why the kernel chose the one it chose: its candidates, their points, and what the adjustment did.
#pragma once

#include "analysis/context.h"
#include "analysis/weigh.h"
#include "oomtrace/report.h"

namespace oomtrace::analysis {

Selection explain_selection(const Context& context, const model::Incident& incident);

// Words of the report: "kernel_walk", "oom_score_adj_min"; the latter nullopt for Excluded::kNot.
const char* provenance_word(Provenance provenance);
std::optional<std::string> excluded_word(Excluded excluded);

Candidate to_candidate(const Context& context, const Weighed& weighed, std::optional<std::uint64_t> total_pages);

}  // namespace oomtrace::analysis
