// SPDX-License-Identifier: Apache-2.0
// Remedies: batches and files in /dev/shm.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/remedies/remedy.h"
#include "base/units.h"
#include "model/roles.h"

namespace oomtrace::analysis {
namespace {

constexpr int kPrefetch = 2;  // DataLoader's default
constexpr double kOfTrainer =
    0.1;  // of the shared memory, that a trainer without workers must map for it to be batches

// DataLoader workers were there, or a trainer maps a part of it: else it is files that have to do with no batch.
bool may_be_batches(const Patient& patient, double shmem) {
  if (!patient.workers.empty() || patient.figure("DataLoader workers") > 0) return true;
  for (const Candidate& candidate : patient.incident.report.selection.candidates) {
    if (candidate.role == model::to_string(model::Role::kDataloaderWorker)) return true;
  }
  const auto* last = patient.trainer ? patient.trainer->memory.at(patient.incident.seen.boot_ns) : nullptr;
  return last && static_cast<double>(last->sample.counters.shmem) >= kOfTrainer * shmem;
}

void fewer_batches(const Patient& patient, double shmem, std::vector<Advice>& advice) {
  const std::size_t workers = patient.workers.size();
  if (workers == 0) return;
  Remedy remedy;
  remedy.title = "Let fewer batches wait: a smaller prefetch_factor, then fewer workers";
  remedy.code = fmt::format("DataLoader(dataset, ..., num_workers={}, prefetch_factor=1)", workers);
  remedy.why = fmt::format(
      "Batches that wait for the trainer lie in /dev/shm: at most workers x prefetch_factor x the size of a batch. {} "
      "were "
      "held by {} worker{}, {} for each; with one batch each, it would be about {} at the default of {}, and less "
      "where "
      "prefetch_factor is higher now.",
      bytes_text(shmem), workers, workers == 1 ? "" : "s", bytes_text(shmem / static_cast<double>(workers)),
      bytes_text(shmem / kPrefetch), kPrefetch);
  remedy.risk = "With nothing in reserve, an uneven loader makes the GPU wait.";
  advice.push_back({patient.share(shmem) * 0.6, std::move(remedy)});
}

void smaller_batches(const Patient& patient, double shmem, std::vector<Advice>& advice) {
  Remedy remedy;
  remedy.title = "Hand over smaller batches: integers as they were read, floating point made on the device";
  remedy.code =
      "return image                              # uint8, a quarter of float32\n"
      "batch = batch.to(device).float().div_(255)  # in the training loop";
  remedy.why = fmt::format("A batch in uint8 takes a quarter of one in float32: of {} about {} would be saved.",
                           bytes_text(shmem), bytes_text(shmem * 3 / 4));
  remedy.risk = "Only where the values fit; augmentation that needs floating point moves to the device.";
  advice.push_back({patient.share(shmem) * 0.4, std::move(remedy)});
}

void free_files(const Patient& patient, bool batches, double shmem, std::vector<Advice>& advice) {
  Remedy remedy;
  remedy.title = batches ? "Look what lies in /dev/shm, and who holds it"
                         : "Look what lies in /dev/shm and other tmpfs mounts, and who wrote it";
  remedy.command = batches ? "df -h /dev/shm; ls -la /dev/shm; lsof +L1 /dev/shm"
                           : "df -h -t tmpfs; ls -la /dev/shm; lsof +L1 /dev/shm";
  remedy.why = fmt::format(
      "Killing a process frees none of this memory as long as a descriptor or a name keeps it: {} were there. {}",
      bytes_text(shmem),
      batches ? "Files torch_* without a process are left over from killed jobs."
              : "A file in a tmpfs is memory, charged to the cgroup of who wrote it first, until it is removed.");
  remedy.risk = "Remove only files that no running job uses.";
  advice.push_back({batches ? 0.04 : patient.share(shmem) * 0.5, std::move(remedy)});
}

void size_does_not_help(const Patient& patient, double shmem, std::vector<Advice>& advice) {
  if (!patient.memcg) return;
  Remedy remedy;
  remedy.title = "A larger --shm-size or --ipc=host does not help here";
  remedy.why = fmt::format(
      "They are the usual advice against bus errors, where the mount is full. This kill came from the memory limit of "
      "{}, "
      "against which every page in /dev/shm counts ({} of it): a larger mount would fill it sooner.",
      format_bytes(patient.size), bytes_text(shmem));
  remedy.risk = "None: it says what not to do.";
  advice.push_back({0, std::move(remedy)});
}

}  // namespace

void advise_shared_memory(const Patient& patient, std::vector<Advice>& advice) {
  if (!patient.is("shm_exhaustion")) return;
  const double shmem =
      std::max(patient.figure("shared memory in the domain"), patient.figure("shared memory and tmpfs"));
  if (shmem <= 0) return;
  const bool batches = may_be_batches(patient, shmem);
  if (batches) {
    fewer_batches(patient, shmem, advice);
    smaller_batches(patient, shmem, advice);
  }
  free_files(patient, batches, shmem, advice);
  size_does_not_help(patient, shmem, advice);
}

}  // namespace oomtrace::analysis
