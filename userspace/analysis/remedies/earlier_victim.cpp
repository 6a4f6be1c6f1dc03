// SPDX-License-Identifier: Apache-2.0
// Remedies: a kill that followed from the one before.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/causes/ledger.h"
#include "analysis/remedies/remedy.h"

namespace oomtrace::analysis {

void advise_earlier_victim(const Patient& patient, std::vector<Advice>& advice) {
  const auto& factors = patient.diagnosed.contributing;
  const auto earlier = std::find_if(factors.begin(), factors.end(),
                                    [](const Cause& cause) { return cause.kind == "earlier_victim_dying"; });
  if (earlier == factors.end()) return;
  const auto returning = returning_memory(patient.incident);
  if (!returning) return;
  Remedy remedy;
  remedy.title = "Look at the kill before this one first: without it this one may not have come";
  // Numbers of several traces may be given anew.
  if (returning->incident->id != 0 && patient.incident.context.world.traces().size() == 1)
    remedy.command = fmt::format("oomtrace report --incident {} FILE", returning->incident->id);
  remedy.why = earlier->summary;
  remedy.risk = "None.";
  advice.push_back({std::min(1.0, patient.share(static_cast<double>(returning->bytes))), std::move(remedy)});
}

}  // namespace oomtrace::analysis
