// SPDX-License-Identifier: Apache-2.0
// No pattern applies: the figures that any diagnosis would start from.
#include "analysis/causes/cause.h"
#include "analysis/growth_sums.h"
#include "base/units.h"
#include "model/roles.h"

namespace oomtrace::analysis {
namespace {

std::string driver_group(const Driver& driver) {
  const std::string role = driver.role.value_or(model::to_string(model::Role::kOther));
  return role == model::to_string(model::Role::kOther) ? "The processes of no role in the training together"
                                                       : "The role " + role + " as a whole";
}

}  // namespace

std::optional<Cause> detect_unknown(const model::World&, const IncidentContext& incident) {
  const Incident& report = incident.report;
  Cause cause;
  cause.kind = "unknown";
  cause.confidence = 0;
  const auto add = [&](const char* what, double value, const char* unit, const char* source) {
    cause.evidence.push_back({what, value, unit, source});
  };
  if (report.domain.limit_bytes) {
    add("limit of the domain", static_cast<double>(*report.domain.limit_bytes), "bytes", "oom.kill");
  }
  if (report.domain.usage_bytes) {
    add("used in the domain", static_cast<double>(*report.domain.usage_bytes), "bytes", "oom.kill");
  }
  std::size_t weighed = 0;
  for (const Candidate& candidate : report.selection.candidates) weighed += candidate.excluded ? 0 : 1;
  add("candidates weighed", static_cast<double>(weighed), "processes", "oom.candidate");
  if (!report.growth) {
    cause.summary = report.growth_left_out ? "Not weighed: there are more kills and processes than one report weighs."
                    : report.narrowed
                        ? "Not recorded: the recording was narrowed to chosen processes, cgroups or kinds of event."
                        : "Not known: nobody watched the processes before the kill.";
    return cause;
  }
  const Growth& growth = *report.growth;
  const GrowthSums sums = sum_growth(growth);
  add("grown in the window", static_cast<double>(growth.grown_bytes), "bytes", "process.memory");
  add("of it fresh anonymous memory", static_cast<double>(sums.fresh_anon), "bytes", "process.memory");
  add("of it copied after fork", static_cast<double>(sums.copied), "bytes", "process.memory");
  add("of it shared memory", static_cast<double>(sums.shmem), "bytes", "process.memory");
  add("of it file pages", static_cast<double>(sums.file), "bytes", "process.memory");
  add("of it swap", static_cast<double>(sums.swap), "bytes", "process.memory");
  if (growth.driver) {
    add("share of the driver", growth.driver->share, "ratio", "process.memory");
    const std::string who = growth.driver->pid ? named(growth.driver->comm.value_or(""), *growth.driver->pid)
                                               : driver_group(*growth.driver);
    cause.summary = "No known pattern applies. " + who + " had " + format_percent(growth.driver->share) + " of the " +
                    format_bytes(growth.grown_bytes) + " that were newly charged.";
  } else {
    cause.summary =
        "No known pattern applies, and nobody grew much in the window: " + format_bytes(growth.grown_bytes) +
        " were newly charged.";
  }
  return cause;
}

}  // namespace oomtrace::analysis
