// SPDX-License-Identifier: Apache-2.0
// Which part of a report is wanted.
#include "cli/report_scope.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/time_text.h"

namespace oomtrace::cli {

Result<void> keep_between(const TimeBounds& bounds, Report& report) {
  if (!bounds.any()) return {};
  const std::size_t before = report.incidents.size();
  Source& source = report.source;
  if (bounds.since_ns) source.since = format_rfc3339_ns(*bounds.since_ns);
  if (bounds.until_ns) source.until = format_rfc3339_ns(*bounds.until_ns);
  std::size_t undated = 0;
  std::optional<std::int64_t> first, last;
  std::erase_if(report.incidents, [&](const Incident& incident) {
    const auto at = incident.time ? parse_rfc3339(*incident.time) : std::nullopt;
    undated += at ? 0 : 1;
    if (!at) return true;
    if (bounds.hold(*at)) return false;
    ++source.incidents_outside;
    first = std::min(first.value_or(*at), *at);
    last = std::max(last.value_or(*at), *at);
    return true;
  });
  if (first) source.outside_from = format_rfc3339_ns(*first);
  if (last) source.outside_to = format_rfc3339_ns(*last);
  std::erase_if(report.deaths, [&](const Death& death) {
    const auto at = death.time ? parse_rfc3339(*death.time) : std::nullopt;
    return !at || !bounds.hold(*at);
  });
  if (undated == 0) return {};
  if (undated == before)
    return fail(Errc::kUsage, source.name + " has no dates, so --since and --until have nothing to go by", 0,
                "dmesg -T and journalctl -k -o short-iso print dates");
  source.notes.push_back(fmt::format("left out: {} incident{} without a date", undated, undated == 1 ? "" : "s"));
  return {};
}

Result<void> keep_incident(std::uint64_t id, Report& report) {
  std::erase_if(report.incidents, [&](const Incident& incident) { return incident.id != id; });
  if (!report.incidents.empty()) return {};
  if (report.source.since || report.source.until)
    return fail(Errc::kUsage, fmt::format("there is no incident {} in the time that --since and --until choose", id));
  return fail(Errc::kUsage, fmt::format("there is no incident {}", id));
}

}  // namespace oomtrace::cli
