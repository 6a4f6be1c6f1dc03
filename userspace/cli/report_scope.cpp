// SPDX-License-Identifier: Apache-2.0
// Which part of a report is wanted.
#include "cli/report_scope.h"

#include <fmt/format.h>

#include <vector>

#include "base/time_text.h"

namespace oomtrace::cli {

Result<void> keep_between(const TimeBounds& bounds, Report& report) {
  if (!bounds.any()) return {};
  const std::size_t before = report.incidents.size();
  std::size_t undated = 0;
  std::erase_if(report.incidents, [&](const Incident& incident) {
    const auto at = incident.time ? parse_rfc3339(*incident.time) : std::nullopt;
    undated += at ? 0 : 1;
    return !at || !bounds.hold(*at);
  });
  std::erase_if(report.deaths, [&](const Death& death) {
    const auto at = death.time ? parse_rfc3339(*death.time) : std::nullopt;
    return !at || !bounds.hold(*at);
  });
  if (undated == 0) return {};
  if (undated == before)
    return fail(Errc::kUsage, report.source.name + " has no dates, so --since and --until have nothing to go by", 0,
                "dmesg -T and journalctl -k -o short-iso print dates");
  report.source.notes.push_back(
      fmt::format("left out: {} incident{} without a date", undated, undated == 1 ? "" : "s"));
  return {};
}

Result<void> keep_incident(std::uint64_t id, Report& report) {
  std::erase_if(report.incidents, [&](const Incident& incident) { return incident.id != id; });
  if (report.incidents.empty()) return fail(Errc::kUsage, fmt::format("there is no incident {}", id));
  return {};
}

}  // namespace oomtrace::cli
