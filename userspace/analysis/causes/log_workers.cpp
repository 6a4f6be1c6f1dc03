// SPDX-License-Identifier: Apache-2.0
// A suspicion from a log alone: many workers of one name and of one size, which together hold the domain's memory.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/causes/log_figures.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr std::size_t kLeast = 4;      // processes
constexpr double kMostAlike = 0.75;    // of them must be of one size
constexpr double kMostOfDomain = 0.5;  // of the anonymous memory must be theirs
constexpr double kShared = 1.3;        // sums beyond all anonymous memory count shared pages more than once
constexpr double kConfidenceName = 0.35;
constexpr double kConfidencePython = 0.25;

bool is_python(const std::string& comm) { return comm.starts_with("python") || comm == "pt_main_thread"; }

}  // namespace

std::optional<Cause> detect_workers_in_log(const model::World& world, const IncidentContext& incident) {
  const auto figures = figures_at_kill(incident);
  if (!figures || !figures->anon || *figures->anon == 0) return std::nullopt;
  for (const NamedGroup& group : groups_by_name(world, incident)) {
    const bool named_worker = group.role == model::Role::kDataloaderWorker;
    if (!named_worker && !is_python(group.comm)) continue;
    if (group.count < kLeast || static_cast<double>(group.alike) < kMostAlike * static_cast<double>(group.count))
      continue;
    const double share = static_cast<double>(group.rss) / static_cast<double>(*figures->anon);
    // More than all there is: the pages are the trainer's, still shared, and not copies.
    if (share < kMostOfDomain || share > kShared) continue;
    Cause cause;
    cause.kind = "dataloader_duplication";
    cause.confidence = named_worker ? kConfidenceName : kConfidencePython;
    cause.summary = fmt::format(
        "A suspicion: {} processes named {} of about {} each hold {} together, {} of the anonymous memory. Workers "
        "that "
        "copy the data set look like this; a recording would tell copied from newly allocated memory.",
        group.count, group.comm, bytes_text(group.median), bytes_text(group.rss), format_percent(std::min(share, 1.0)));
    cause.evidence = {
        {"processes of that name", static_cast<double>(group.count), "processes", "oom.candidate"},
        {"resident in all of them", static_cast<double>(group.rss), "bytes", "oom.candidate"},
        {"resident in the middle one", static_cast<double>(group.median), "bytes", "oom.candidate"},
        {"anonymous memory of the domain", static_cast<double>(*figures->anon), "bytes", figures->source},
    };
    return cause;
  }
  return std::nullopt;
}

}  // namespace oomtrace::analysis
