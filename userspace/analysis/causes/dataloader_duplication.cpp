// SPDX-License-Identifier: Apache-2.0
// DataLoader workers make the data set theirs: by writing to pages that they share since the fork.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/causes/families.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr double kMostOfAll = 0.5;        // of all growth must be copies in workers
constexpr double kMostOfOwn = 0.5;        // of a worker's own growth must be copies for it to count
constexpr std::int64_t kLeast = 8 << 20;  // copied by a worker that counts

}  // namespace

std::optional<Cause> detect_dataloader_duplication(const model::World&, const IncidentContext& incident) {
  std::vector<std::int64_t> copies;
  std::int64_t sum = 0, inherited = 0;
  for (const Grower& grower : growers(incident)) {
    if (incident.context.role(grower.process->id) != model::Role::kDataloaderWorker) continue;
    const std::int64_t copied = grower.growth->cow_copied_bytes.value_or(0);
    if (copied < kLeast || static_cast<double>(copied) < kMostOfOwn * static_cast<double>(grower.growth->grown_bytes)) {
      continue;
    }
    copies.push_back(copied);
    sum += copied;
    if (grower.process->inherited) inherited = std::max(inherited, grower.process->inherited->anon);
  }
  if (copies.empty() || sum < telling_growth(incident)) return std::nullopt;
  const double share = static_cast<double>(sum) / static_cast<double>(incident.report.growth->grown_bytes);
  if (share < kMostOfAll) return std::nullopt;
  std::sort(copies.begin(), copies.end());
  const std::int64_t middle = copies[copies.size() / 2];

  Cause cause;
  cause.kind = "dataloader_duplication";
  // One worker alone may have another reason to write to what it inherited.
  cause.confidence = (copies.size() > 1 ? 0.65 : 0.5) + 0.3 * std::min(share, 1.0);
  cause.summary = fmt::format(
      "{} DataLoader worker{} copied {} of what the fork had shared with the trainer, {} of all "
      "growth.",
      copies.size(), copies.size() == 1 ? "" : "s", format_bytes(sum), format_percent(std::min(share, 1.0)));
  cause.evidence = {
      {"workers that copied", static_cast<double>(copies.size()), "processes", "process.memory"},
      {"copied by all workers", static_cast<double>(sum), "bytes", "process.memory"},
      {"copied by the middle one", static_cast<double>(middle), "bytes", "process.memory"},
      {"share of the growth", std::min(share, 1.0), "ratio", "process.memory"},
  };
  if (inherited > 0) {
    cause.evidence.push_back({"inherited at fork", static_cast<double>(inherited), "bytes", "process.fork"});
  }
  return cause;
}

}  // namespace oomtrace::analysis
