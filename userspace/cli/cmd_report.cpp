// SPDX-License-Identifier: Apache-2.0
// oomtrace report: from events to the story of each kill.

#include <ctime>
#include <utility>

#include "base/text.h"
#include "cli/exit_status.h"
#include "cli/input.h"
#include "cli/input_search.h"
#include "cli/last_recording.h"
#include "cli/make_report.h"
#include "cli/report_scope.h"
#include "cli/tell.h"
#include "cli/text_output.h"
#include "cli/verbs.h"
#include "report/render_json.h"
#include "report/render_text.h"

namespace oomtrace::cli {

namespace {

constexpr const char* kVerb = "report";
constexpr std::size_t kInFull = 5;  // incidents of a text report

// The first place with an incident in it; where none has one, the first that can be read.
Result<Report> report_from_machine(const ReportScope& scope) {
  KernelLogSearch search(Places{}, scope.boot, scope.bounds);
  ReportScope rest = scope;
  rest.boot.reset();  // the search has seen to it
  std::optional<Report> without;
  while (auto place = search.next()) {
    const std::string about = place->about.empty() ? "" : " (" + place->about + ")";
    tell("oomtrace report: reading {}{}\n", escape_terminal(place->name), about);
    auto report = make_report(std::move(place->inputs), rest);
    if (!report) {
      search.refuse(*place, report.error());
      continue;
    }
    if (!report->incidents.empty()) return report;
    const std::size_t outside = report->source.incidents_outside;
    tell("oomtrace report: no OOM kill {}in {}\n", outside > 0 ? "of the time chosen " : "",
         escape_terminal(place->name));
    if (!without || (without->source.incidents_outside == 0 && outside > 0)) without = *std::move(report);
  }
  if (without) return *std::move(without);
  return tl::make_unexpected(search.error());
}

Result<Report> find_report(const ReportOptions& options, const ReportScope& scope) {
  std::vector<std::string> paths = options.inputs;
  if (paths.empty()) {
    // A boot is chosen among those of the machine's log.
    const auto newest = scope.boot ? std::nullopt : newest_trace(Places{});
    if (!newest) return report_from_machine(scope);
    paths = segments_of_last_kill(*newest);
    for (const std::string& path : paths) tell("oomtrace report: reading {}\n", escape_terminal(path));
  } else if (scope.boot && scope.boot->offset) {
    return fail(Errc::kUsage, "--boot counts the boots of this machine: of a file, name the boot by its ID", 0,
                "`journalctl --list-boots` has the IDs");
  }
  std::vector<Input> inputs;
  for (const std::string& path : paths) {
    auto input = open_input(path);
    if (!input) {
      Error error = std::move(input).error();
      if (error.code == Errc::kPermission && error.hint.empty()) error.hint = "sudo oomtrace report " + path;
      return tl::make_unexpected(std::move(error));
    }
    inputs.push_back(*std::move(input));
  }
  return make_report(std::move(inputs), scope);
}

Result<ReportScope> read_scope(const ReportOptions& options) {
  ReportScope scope;
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  auto bounds = TimeBounds::parse(options.since, options.until,
                                  static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec);
  if (!bounds) return tl::make_unexpected(std::move(bounds).error());
  scope.bounds = *bounds;
  scope.incident = options.incident;
  if (!options.boot) return scope;
  auto boot = BootChoice::parse(*options.boot);
  if (!boot) return tl::make_unexpected(std::move(boot).error());
  scope.boot = *std::move(boot);
  return scope;
}

}  // namespace

int run_report(const ReportOptions& options) {
  const auto scope = read_scope(options);
  if (!scope) return report_error(kVerb, scope.error());
  auto report = find_report(options, *scope);
  if (!report) return report_error(kVerb, report.error());
  const bool found = !report->incidents.empty();
  if (scope->incident) {
    if (auto kept = keep_incident(*scope->incident, *report); !kept) return report_error(kVerb, kept.error());
  }
  TextOptions layout = text_options(options.color, options.output.empty());
  if (!options.all) layout.most_in_full = kInFull;
  const std::string text = options.format == "json" ? render_json(*report) : render_text(*report, layout);
  if (auto written = write_output(options.output, text); !written) return report_error(kVerb, written.error());
  return options.exit_code && found ? kFound : kDone;
}

}  // namespace oomtrace::cli
