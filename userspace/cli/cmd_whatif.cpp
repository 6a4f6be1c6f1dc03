// SPDX-License-Identifier: Apache-2.0
// oomtrace whatif: the kernel's arithmetic over a recorded incident, with something changed.
#include <fmt/core.h>

#include "analysis/build_report.h"
#include "analysis/context.h"
#include "analysis/whatif.h"
#include "cli/exit_status.h"
#include "cli/input.h"
#include "cli/kernel_log_join.h"
#include "cli/text_output.h"
#include "cli/verbs.h"
#include "cli/whatif_change.h"
#include "model/world.h"
#include "report/render_whatif.h"

namespace oomtrace::cli {

namespace {

constexpr const char* kVerb = "whatif";

Result<std::vector<WhatIfAnswer>> answers(const model::World& world, Report report, const WhatIfOptions& options,
                                          const WhatIf& change) {
  const analysis::Context context(world);
  std::vector<WhatIfAnswer> all;
  const std::vector<analysis::Numbered> numbered = analysis::numbered_incidents(world);
  for (std::size_t i = 0; i < numbered.size(); ++i) {
    if (options.incident && numbered[i].id != *options.incident) continue;
    WhatIfResult result = analysis::what_if(context, *numbered[i].incident, change);
    all.push_back({std::move(report.incidents.at(i)), change, std::move(result)});
  }
  if (!all.empty()) return all;
  if (options.incident) return fail(Errc::kUsage, fmt::format("there is no incident {}", *options.incident));
  return fail(Errc::kInput, "nothing was OOM-killed there", 0, "oomtrace report says what did happen");
}

}  // namespace

int run_whatif(const WhatIfOptions& options) {
  const auto change = parse_change(options);
  if (!change) return report_error(kVerb, change.error());
  model::World world;
  const std::function<void(const Event&)> apply = [&](const Event& event) { world.apply(event); };
  std::optional<KernelLogJoin> join(std::in_place, apply);
  const auto start_over = [&] {
    world = model::World();
    join.emplace(apply);
  };
  const auto summary = read_inputs(
      {options.input}, [&](const Event& event) { join->take(event); }, start_over);
  if (!summary) return report_error(kVerb, summary.error());
  join->finish();

  const auto all =
      answers(world, analysis::build_report(world, {summary->kind, summary->name, summary->notes}), options, *change);
  if (!all) return report_error(kVerb, all.error());
  const std::string text =
      options.format == "json" ? render_whatif_json(*all) : render_whatif_text(*all, text_options(options.color, true));
  if (auto written = write_output({}, text); !written) return report_error(kVerb, written.error());
  return kDone;
}

}  // namespace oomtrace::cli
