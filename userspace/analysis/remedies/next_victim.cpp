// SPDX-License-Identifier: Apache-2.0
// Who would die next under another oom_score_adj, in words.
#include "analysis/remedies/next_victim.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/whatif.h"

namespace oomtrace::analysis {
namespace {

WhatIfResult changed(const Patient& patient, std::uint32_t pid, std::int32_t adj) {
  WhatIf change;
  change.oom_score_adj = {{pid, adj}};
  return what_if(patient.incident.context, patient.incident.seen, change);
}

}  // namespace

std::optional<NextVictim> next_with_adj(const Patient& patient, std::uint32_t pid, std::int32_t adj) {
  if (!patient.incident.report.selection.candidates_complete) return std::nullopt;
  const WhatIfResult result = changed(patient, pid, adj);
  if (!result.total_pages || result.ranking.empty()) return std::nullopt;
  NextVictim next;
  for (std::size_t i = 0; i < std::min<std::size_t>(2, result.sequence.size()); ++i) {
    const auto row = std::find_if(result.ranking.begin(), result.ranking.end(),
                                  [&](const Candidate& candidate) { return candidate.pid == result.sequence[i]; });
    if (row == result.ranking.end()) break;
    if (i == 0) next.pid = row->pid;
    next.text += fmt::format("{}{} (pid {}{})", i == 0 ? "" : ", then ", row->comm.empty() ? "(no name)" : row->comm,
                             row->pid, row->role ? ", " + *row->role : "");
  }
  if (!next.pid) next.text = "nobody: no process could be killed any more";
  return next;
}

std::optional<std::int32_t> adj_to_be_first(const Patient& patient, std::uint32_t pid) {
  for (std::int32_t adj = 100; adj <= 1000; adj += 100) {
    const WhatIfResult result = changed(patient, pid, adj);
    if (!result.sequence.empty() && result.sequence.front() == pid) return adj;
  }
  return std::nullopt;
}

}  // namespace oomtrace::analysis
