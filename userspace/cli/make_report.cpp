// SPDX-License-Identifier: Apache-2.0
// Reads, replays, analyses.
#include "cli/make_report.h"

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "analysis/build_report.h"
#include "cli/kernel_log_join.h"
#include "model/world.h"

namespace oomtrace::cli {

namespace {

constexpr std::size_t kMaxBootsTold = 8;

}  // namespace

Result<Report> make_report(std::vector<Input> inputs, const ReportScope& scope) {
  model::World world;
  const EventTaker apply = [&](const Event& event) { world.apply(event); };
  std::optional<KernelLogJoin> join(std::in_place, apply);
  std::set<std::string, std::less<>> other_boots;
  const bool chosen = scope.boot && !scope.boot->id.empty();
  const auto start_over = [&] {
    world = model::World();
    join.emplace(apply);
    other_boots.clear();
  };
  const auto take = [&](const Event& event) {
    if (chosen && plain_boot_id(event.boot_id) != scope.boot->id) {
      if (other_boots.size() < kMaxBootsTold) other_boots.insert(plain_boot_id(event.boot_id));
      return;
    }
    join->take(event);
  };
  const auto summary = read_inputs(std::move(inputs), take, start_over);
  if (!summary) return tl::make_unexpected(summary.error());
  join->finish();
  if (chosen && world.boots().empty()) {
    other_boots.erase("");
    std::string hint;
    for (const std::string& id : other_boots) hint += (hint.empty() ? "it is of boot " : ", ") + id;
    return fail(Errc::kUsage, summary->name + " has nothing of boot " + scope.boot->id, 0, hint);
  }
  Report report = analysis::build_report(world, {summary->kind, summary->name, summary->notes});
  if (auto kept = keep_between(scope.bounds, report); !kept) return tl::make_unexpected(std::move(kept).error());
  return report;
}

}  // namespace oomtrace::cli
