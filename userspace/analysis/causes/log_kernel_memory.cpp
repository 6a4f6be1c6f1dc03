// SPDX-License-Identifier: Apache-2.0
// From a log alone: the kernel's own memory was most of the domain, or memory that no counter names.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/causes/log_figures.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr double kMost = 0.4;
constexpr double kMostUnnamed = 0.5;

}  // namespace

std::optional<Cause> detect_kernel_memory_in_log(const model::World&, const IncidentContext& incident) {
  const auto figures = figures_at_kill(incident);
  if (!figures || !figures->kernel) return std::nullopt;
  const double kernel = figures->share(*figures->kernel);
  const double unnamed = figures->unnamed ? figures->share(*figures->unnamed) : 0;
  const double ballooned = figures->balloon ? figures->share(*figures->balloon) : 0;
  if (kernel < kMost && (unnamed < kMostUnnamed || ballooned >= kMostUnnamed / 2)) return std::nullopt;
  Cause cause;
  cause.kind = "kernel_memory_growth";
  if (kernel >= kMost) {
    cause.confidence = 0.35 + 0.4 * std::min(kernel, 1.0);
    cause.summary = fmt::format("The kernel's own memory (slab, stacks, page tables) was {}, {} of what was used.",
                                bytes_text(*figures->kernel), format_percent(std::min(kernel, 1.0)));
  } else {
    cause.confidence = 0.3;
    cause.summary = fmt::format(
        "{} of {} used are in none of the counters that the log has: pages that drivers or the hypervisor's balloon "
        "took.",
        bytes_text(*figures->unnamed), bytes_text(figures->used));
    cause.evidence.push_back({"named by no counter", static_cast<double>(*figures->unnamed), "bytes", figures->source});
  }
  cause.evidence.push_back({"kernel memory", static_cast<double>(*figures->kernel), "bytes", figures->source});
  cause.evidence.push_back({"used in the domain", static_cast<double>(figures->used), "bytes", figures->source});
  return cause;
}

}  // namespace oomtrace::analysis
