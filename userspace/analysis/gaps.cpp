// SPDX-License-Identifier: Apache-2.0
// What was not seen: of an incident, and of the whole source.
#include "analysis/gaps.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/selection.h"
#include "analysis/time_order.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr std::size_t kMostNotes = 100;

std::int64_t to_signed(std::uint64_t count) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(count, INT64_MAX));
}

std::uint64_t lost_of(const model::Trace& trace, std::string_view source) {
  const auto found = trace.losses.find(std::string(source));
  return found == trace.losses.end() ? 0 : found->second.count;
}

std::string loss_text(const std::string& source, const model::Loss& loss) {
  std::string text = loss.count > 0 ? format_count(to_signed(loss.count), "event") + " lost from " + source
                                    : "something was not seen in " + source;
  if (!loss.detail.empty()) text += ": " + loss.detail;
  return text;
}

// The list of a source that told candidates and not all of them.
std::string rest_of_list(const model::Incident& incident, const Selection& selection) {
  const auto end = std::find_if(incident.ends.begin(), incident.ends.end(), [&](const model::ScanEnd& one) {
    return provenance_word(one.provenance) == *selection.provenance;
  });
  if (end == incident.ends.end()) return "The rest of the candidates: the end of their list was not seen.";
  return "Some of the candidates: the list had " + format_count(std::int64_t{end->emitted}) +
         ", and not all of them are in what was read.";
}

void name_candidate_gaps(const model::Incident& incident, const Selection& selection, bool log_only,
                         std::vector<std::string>& missing) {
  if (incident.candidates.empty() && incident.decision.decided_by != DecidedBy::kAllocatingTask) {
    missing.push_back(log_only
                          ? "The candidates: the log has no task table. vm.oom_dump_tasks=1 makes the kernel log one."
                          : "The candidates: no source told them. A recorder with a way to them, or a kernel log with "
                            "the task table, would have.");
  }
  std::uint64_t dropped = incident.candidates_over_limit;
  bool cut = false;
  for (const model::ScanEnd& end : incident.ends) {
    dropped += end.dropped;
    cut = cut || end.report_cut;
  }
  if (dropped > 0) {
    missing.push_back(format_count(to_signed(dropped), "candidate") +
                      " of the scan: there was no room for them. The kernel's own log has the whole table.");
  }
  const bool weighed = selection.provenance && incident.decision.decided_by != DecidedBy::kAllocatingTask;
  if (weighed && !selection.candidates_complete && dropped == 0 && !cut) {
    missing.push_back(rest_of_list(incident, selection));
  }
  if (cut)
    missing.push_back(
        "A part of the kernel's report: the log is cut. A larger log buffer (log_buf_len) keeps it whole.");
}

// Where a boot's clock was set while somebody recorded, or between two recordings.
void name_clock_settings(const model::World& world, std::vector<std::string>& notes) {
  constexpr std::uint64_t kWorthTelling = 1'000'000'000;  // less does not show in times to the second
  constexpr std::size_t kMostTold = 8;
  std::size_t more = 0;
  for (const model::Boot& boot : world.boots()) {
    const auto& settings = boot.clock.settings();
    for (std::size_t i = 1; i < settings.size(); ++i) {
      const bool forward = settings[i].offset_ns > settings[i - 1].offset_ns;
      const std::uint64_t difference =
          static_cast<std::uint64_t>(settings[i].offset_ns) - static_cast<std::uint64_t>(settings[i - 1].offset_ns);
      const std::uint64_t by_ns = forward ? difference : 0 - difference;
      if (by_ns < kWorthTelling) continue;
      if (notes.size() == kMostTold) {
        ++more;
        continue;
      }
      const std::string time = format_rfc3339_ns(wall_time(settings[i].from_boot_ns, settings[i].offset_ns));
      notes.push_back(fmt::format(
          "the machine's clock was set {} by {}, to {} {} UTC: times before that are by the clock as it was",
          forward ? "forward" : "back", format_duration(by_ns), time.substr(0, 10), time.substr(11, 8)));
    }
  }
  if (more > 0) notes.push_back("the machine's clock was set " + format_count(to_signed(more), "more time"));
}

// What the model had no room for.
void name_bounds(const model::World& world, std::vector<std::string>& notes) {
  const model::World::Beyond& beyond = world.beyond();
  if (beyond.kills > 0) {
    notes.push_back(format_count(to_signed(beyond.kills), "kill") +
                    " left out: more than a report holds. A part of the input at a time has them.");
  }
  if (beyond.processes > 0) {
    notes.push_back(format_count(to_signed(beyond.processes)) +
                    " times a process was left out: more were alive at a time than a report holds");
  }
  if (beyond.texts > 0) {
    notes.push_back(
        format_count(to_signed(beyond.texts)) +
        " times a process's command line, environment and the like were left out: more than a report holds");
  }
}

}  // namespace

void name_gaps(const model::World& world, const model::Incident& incident, Incident& report) {
  const model::Trace& trace = world.traces()[incident.trace];
  const bool log_only = trace.host.source == "kernel_log";
  std::vector<std::string>& missing = report.missing;
  const model::Decision& decision = incident.decision;
  if (!incident.decided) {
    missing.push_back(log_only
                          ? "The decision itself: only what belongs to it is in this log."
                          : "The decision itself: only what belongs to it was seen. The kernel's log would have it.");
  }
  if (decision.domain == DomainKind::kUnknown) {
    missing.push_back(log_only ? "Which memory ran out: the line with the constraint is not in this log."
                               : "Which memory ran out. The kernel's log names the constraint.");
  }
  if (decision.domain == DomainKind::kMemcg) {
    if (!report.domain.cgroup)
      missing.push_back(log_only ? "Which cgroup hit its limit: the line that names it is not in this log."
                                 : "Which cgroup hit its limit. The kernel's log names it.");
    if (!report.domain.limit_bytes) missing.push_back("The limit of the cgroup: memory.max, or memory.limit_in_bytes.");
  }
  if (decision.trigger.pid == 0 && decision.trigger.comm.empty()) {
    missing.push_back(
        log_only ? "Which task's allocation could not be met: the line \"invoked oom-killer\" is not in this log."
                 : "Which task's allocation could not be met. The kernel's log has it in \"invoked oom-killer\".");
  }
  name_candidate_gaps(incident, report.selection, log_only, missing);
  const bool weighed = decision.decided_by != DecidedBy::kAllocatingTask && !incident.candidates.empty();
  if (weighed && !report.selection.total_pages) {
    missing.push_back(
        "How many pages the kernel reckoned with, and so the points: "
        "the memory and swap that the domain may use.");
  }
  if (report.growth_left_out) {
    missing.emplace_back(
        "Who grew, and since when: there are more kills, and processes beside them, than one report weighs. A part of "
        "the input at a time has it.");
  } else if (!report.growth && report.narrowed) {
    missing.emplace_back(
        "Who grew, and since when: the recording was narrowed to chosen processes, cgroups or kinds of event, and what "
        "tells it was not among them. Without --pid, --cgroup and --events it has all.");
  } else if (!report.growth) {
    missing.push_back(log_only
                          ? "Who grew, and since when: a kernel log has only the moment of the kill. `oomtrace record` "
                            "beside the next run tells it."
                          : "Who grew, and since when: no process of the domain was seen before the kill. A recorder "
                            "started earlier would have.");
  }
  const std::uint64_t kill_lost = lost_of(trace, "ring.kill");
  if (kill_lost > 0) {
    missing.push_back(format_count(to_signed(kill_lost), "event") +
                      " about kills: the ring was full. The kernel's log may have what they said.");
  }
  const std::uint64_t growth_lost = lost_of(trace, "ring.growth") + lost_of(trace, "ring.lifecycle");
  if (growth_lost > 0 && report.growth) {
    missing.push_back(format_count(to_signed(growth_lost), "event") +
                      " about processes: growth and families may be told short until the census after them.");
  }
  const bool candidates_known = decision.decided_by == DecidedBy::kAllocatingTask ||
                                (report.selection.candidates_complete && report.selection.total_pages);
  const bool whole = std::none_of(incident.ends.begin(), incident.ends.end(),
                                  [](const model::ScanEnd& end) { return end.dropped > 0 || end.report_cut; });
  report.complete = incident.decided && decision.domain != DomainKind::kUnknown && candidates_known && whole &&
                    incident.candidates_over_limit == 0 && kill_lost == 0 && report.growth.has_value();
}

Source describe_source(const model::World& world, const SourceInfo& info) {
  Source source;
  source.kind = info.kind;
  source.name = info.name;
  const auto note = [&](std::string text) {
    const auto& notes = source.notes;
    if (notes.size() < kMostNotes && std::find(notes.begin(), notes.end(), text) == notes.end()) {
      source.notes.push_back(std::move(text));
    }
  };
  for (const std::string& text : info.notes) note(text);
  std::vector<std::string> bounds;
  name_bounds(world, bounds);
  for (std::string& text : bounds) note(std::move(text));
  std::vector<std::string> settings;
  name_clock_settings(world, settings);
  for (std::string& text : settings) note(std::move(text));
  for (const model::Trace& trace : world.traces()) {
    const model::Boot& boot = world.boots()[trace.boot];
    if (!source.host && !boot.host_name.empty()) source.host = boot.host_name;
    if (!source.kernel && !trace.host.kernel_release.empty()) source.kernel = trace.host.kernel_release;
    if (!source.boot_id && !boot.id.empty()) source.boot_id = boot.id;
    if (!source.trace_id && !trace.id.empty()) source.trace_id = trace.id;
    for (const auto& [name, loss] : trace.losses) {
      const std::uint64_t sum = source.lost_events + loss.count;
      source.lost_events = sum < loss.count ? UINT64_MAX : sum;
      note(loss_text(name, loss));
    }
    for (const std::string& warning : trace.host.warnings) note(warning);
    if (trace.host.narrowed) {
      note("the recording was narrowed to chosen processes or cgroups (--pid, --cgroup): of others it has the kills");
    }
    if (!trace.host.selected_kinds.empty()) {
      std::string kinds;
      for (const std::string& kind : trace.host.selected_kinds) kinds += (kinds.empty() ? "" : ",") + kind;
      note("the stream was narrowed to chosen kinds of event (" + kinds + "): what others tell is not in it");
    }
    if (!trace.started) note("the beginning of the trace is missing: facts of the host are not known");
    if (trace.started && trace.host.source == "live" && !trace.stop_reason) {
      note("the trace has no end: the recorder was still running, or was cut off");
    }
    if (source.plan.empty()) {
      for (const model::PlanEntry& row : trace.host.plan)
        source.plan.push_back({row.fact, row.way, row.why_not_better});
    }
  }
  const Extent extent = extent_of(world);
  if (extent.first != nullptr) source.from = time_of(extent.first->first_wall_ns);
  if (extent.last != nullptr) source.to = time_of(extent.last->last_wall_ns);
  if (world.forgotten_processes() > 0) {
    note(format_count(to_signed(world.forgotten_processes())) +
         " processes that had ended and had no part in a kill are not listed");
  }
  return source;
}

}  // namespace oomtrace::analysis
