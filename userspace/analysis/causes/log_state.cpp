// SPDX-License-Identifier: Apache-2.0
// No pattern in a log alone: what memory was at the kill, in one sentence, with what a recorder would have added left
// to the report's gaps.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/causes/log_figures.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr double kConfidence = 0.05;  // above the plain `unknown`, below any pattern
constexpr double kFragmented = 0.05;  // of the memory free, and still no block of the order

std::string of_used(const LogFigures& figures, std::uint64_t bytes) {
  return fmt::format("{} ({})", bytes_text(bytes), format_percent(std::min(figures.share(bytes), 1.0)));
}

// Free memory in pieces too small for a request of many pages.
bool is_fragmented(const LogFigures& figures, const model::Decision& decision) {
  if (!decision.order || *decision.order < 1 || !figures.free) return false;
  return static_cast<double>(*figures.free) >= kFragmented * static_cast<double>(figures.used + *figures.free);
}

}  // namespace

std::optional<Cause> detect_state_in_log(const model::World& world, const IncidentContext& incident) {
  const auto figures = figures_at_kill(incident);
  if (!figures) return std::nullopt;
  Cause cause;
  cause.kind = "unknown";
  cause.confidence = kConfidence;
  const auto add = [&](const char* what, const std::optional<std::uint64_t>& bytes) {
    if (bytes) cause.evidence.push_back({what, static_cast<double>(*bytes), "bytes", figures->source});
  };
  if (incident.report.domain.limit_bytes)
    cause.evidence.push_back(
        {"limit of the domain", static_cast<double>(*incident.report.domain.limit_bytes), "bytes", "oom.kill"});
  add("used in the domain", figures->used);
  add("anonymous", figures->anon);
  add("shared memory and tmpfs", figures->shmem);
  add("page cache", figures->cache);
  add("kernel memory", figures->kernel);
  add("free", figures->free);
  add("swap", figures->swap_total);
  if (figures->swap_total.value_or(0) > 0) add("swap, free", figures->swap_free);
  if (is_fragmented(*figures, incident.seen.decision)) {
    cause.summary = fmt::format(
        "Not known for sure. {} pages in one piece were asked for while {} were free: memory was broken into small "
        "pieces rather than used up.",
        std::uint64_t{1} << std::min(*incident.seen.decision.order, 20), bytes_text(*figures->free));
    return cause;
  }
  cause.summary = fmt::format(
      "{}. {} were used",
      incident.report.growth_left_out ? "Not weighed: there are more kills and processes than one report weighs"
      : incident.report.narrowed
          ? "Not recorded: the recording was narrowed to chosen processes, cgroups or kinds of event"
          : "Not known: the log has only the moment of the kill",
      bytes_text(figures->used));
  const auto groups = groups_by_name(world, incident);
  if (figures->anon) cause.summary += ", " + of_used(*figures, *figures->anon) + " of it anonymous";
  if (figures->shmem && figures->share(*figures->shmem) >= 0.1)
    cause.summary += ", " + of_used(*figures, *figures->shmem) + " shared memory";
  if (!groups.empty()) {
    const NamedGroup& first = groups.front();
    cause.evidence.push_back({"resident in " + first.comm, static_cast<double>(first.rss), "bytes", "oom.candidate"});
    cause.summary += fmt::format("; the most had {}{}: {} resident", first.comm,
                                 first.count > 1 ? fmt::format(", {} processes", first.count) : std::string(),
                                 bytes_text(first.rss));
  }
  if (figures->swap_total && *figures->swap_total > 0 && figures->swap_free)
    cause.summary += *figures->swap_free < *figures->swap_total / 20 ? "; swap was full" : "; swap was not full";
  cause.summary += ".";
  return cause;
}

}  // namespace oomtrace::analysis
