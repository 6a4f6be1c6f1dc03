// SPDX-License-Identifier: Apache-2.0
// Remedies: how many workers fit, and how they live.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/remedies/remedy.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr double kMargin = 0.05;  // of the domain, left free

// What one worker comes to when it has all of its copy.
double whole_copy(const Patient& patient) {
  const double inherited = patient.figure("inherited at fork");
  if (inherited > 0) return inherited;
  return patient.figure("held by a worker that had finished loading");
}

}  // namespace

void advise_workers(const Patient& patient, std::vector<Advice>& advice) {
  if (!patient.is("dataloader_duplication") || patient.workers.empty() || patient.size <= 0) return;
  const double each = whole_copy(patient);
  if (each <= 0) return;
  const double size = static_cast<double>(patient.size), trainer = static_cast<double>(patient.trainer_bytes);
  const double room = std::max(0.0, size * (1 - kMargin) - trainer);
  const auto fits = static_cast<std::size_t>(room / each);
  const std::size_t now = patient.workers.size();
  if (fits < now) {
    Remedy remedy;
    remedy.title = fits == 0 ? "Load in the trainer itself (num_workers=0): no worker fits"
                             : fmt::format("Use {} worker{} instead of {}", fits, fits == 1 ? "" : "s", now);
    remedy.code = fmt::format("DataLoader(dataset, ..., num_workers={})", fits);
    remedy.why = fmt::format(
        "({} limit x {:.0f} % - {} of the trainer) / {} that a worker comes to when it has read everything = {:.1f}, "
        "so "
        "{} fit{} beside the trainer.",
        bytes_text(size), (1 - kMargin) * 100, bytes_text(trainer), bytes_text(each), room / each, fits,
        fits == 1 ? "s" : "");
    remedy.risk =
        fmt::format("Batches may come too slowly: look at the GPU's utilization with {} before the long run.", fits);
    advice.push_back({patient.share(each * static_cast<double>(now - fits)) * 0.5, std::move(remedy)});
  }
  if (patient.figure("loaded by all workers") > 0) {
    Remedy remedy;
    remedy.title = "Keep workers from epoch to epoch";
    remedy.code = "DataLoader(dataset, ..., persistent_workers=True)";
    remedy.why = fmt::format(
        "Every new epoch starts spawned workers anew, and the trainer pickles the data set into a buffer for each: a "
        "peak "
        "of {} at most beside the workers' own.",
        bytes_text(trainer));
    remedy.risk = "It saves the peaks, not the copies: those stay as long as the workers do.";
    advice.push_back({0.05, std::move(remedy)});
  }
}

}  // namespace oomtrace::analysis
