// SPDX-License-Identifier: Apache-2.0
// oomtrace report: from events to the story of each kill.
#include <fmt/core.h>

#include <algorithm>
#include <functional>

#include "analysis/build_report.h"
#include "cli/exit_status.h"
#include "cli/input.h"
#include "cli/kernel_log_join.h"
#include "cli/text_output.h"
#include "cli/verbs.h"
#include "model/world.h"
#include "report/render_json.h"
#include "report/render_text.h"

namespace oomtrace::cli {

namespace {

constexpr const char* kVerb = "report";

}  // namespace

int run_report(const ReportOptions& options) {
  std::vector<std::string> inputs = options.inputs;
  if (inputs.empty()) {
    const auto newest = newest_trace_here();
    if (!newest)
      return report_error(kVerb, Error{Errc::kInput, 0, "no *.oomtrace file in the working directory",
                                       "name a trace, or give this machine's kernel log: dmesg | oomtrace report -"});
    inputs.push_back(*newest);
    fmt::print(stderr, "oomtrace report: reading {}\n", *newest);
  }
  model::World world;
  const std::function<void(const Event&)> apply = [&](const Event& event) { world.apply(event); };
  KernelLogJoin join(apply);
  const auto summary = read_inputs(inputs, [&](const Event& event) { join.take(event); });
  if (!summary) return report_error(kVerb, summary.error());
  join.finish();

  Report report = analysis::build_report(world, {summary->kind, summary->name, summary->notes});
  const bool found = !report.incidents.empty();
  if (options.incident) {
    std::erase_if(report.incidents, [&](const Incident& incident) { return incident.id != *options.incident; });
    if (report.incidents.empty())
      return report_error(kVerb, Error{Errc::kUsage, 0, fmt::format("there is no incident {}", *options.incident), {}});
  }
  const std::string text = options.format == "json"
                               ? render_json(report)
                               : render_text(report, text_options(options.color, options.output.empty()));
  if (auto written = write_output(options.output, text); !written) return report_error(kVerb, written.error());
  return options.exit_code && found ? kFound : kDone;
}

}  // namespace oomtrace::cli
