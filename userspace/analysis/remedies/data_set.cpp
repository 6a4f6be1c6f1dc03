// SPDX-License-Identifier: Apache-2.0
// Remedies: how a data set is held, so that workers share it.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/remedies/remedy.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

void arrays_for_forks(const Patient& patient, double copied, std::vector<Advice>& advice) {
  Remedy remedy;
  remedy.title = "Hold the data set in arrays or Arrow, not in Python lists and dicts";
  remedy.code =
      "self.boxes = np.array([r[\"bbox\"] for r in rows], np.float32)  # one array for each column\n"
      "text = [r[\"path\"].encode() for r in rows]\n"
      "self.text = np.frombuffer(b\"\".join(text), np.uint8)           # strings: bytes and offsets\n"
      "self.ends = np.cumsum([len(t) for t in text])\n"
      "# or: datasets.Dataset.from_list(rows), which maps Arrow files";
  remedy.why = fmt::format(
      "Reading a Python object writes its reference count, and that write copies the page: {} worker{} had copied {} "
      "when the kill came, and would have gone on up to the {} that each inherited. An array has one count for all its "
      "values, so its pages stay shared.",
      patient.workers.size(), patient.workers.size() == 1 ? "" : "s", bytes_text(copied),
      bytes_text(patient.figure("inherited at fork")));
  remedy.risk =
      "Items are made anew from the arrays at each access. An array of objects (dtype=object) copies as before. "
      "Neither "
      "gc.freeze() nor the immortal objects of Python 3.12 prevent the copies: they are reference counts, not the "
      "collector.";
  const double whole = patient.figure("inherited at fork") * static_cast<double>(patient.workers.size());
  advice.push_back({patient.share(std::max(copied, whole)), std::move(remedy)});
}

void sharing_for_spawned(const Patient& patient, double loaded, std::vector<Advice>& advice) {
  Remedy remedy;
  remedy.title = "Give spawned workers a data set that is shared instead of pickled";
  remedy.code =
      "self.data = torch.from_numpy(array).share_memory_()  # pickled as a handle, not as a copy\n"
      "# or open it in the worker, at the first access:\n"
      "self.data = np.load(path, mmap_mode=\"r\")             # page cache, one copy for all";
  remedy.why = fmt::format(
      "Each worker unpickled a data set of its own: {} in {} worker{}. A shared tensor or a mapped file is there once "
      "for all of them.",
      bytes_text(loaded), patient.workers.size(), patient.workers.size() == 1 ? "" : "s");
  remedy.risk =
      "A shared tensor lies in /dev/shm: it counts against the same limit, once, and needs room there (--shm-size). A "
      "mapped file is read from disk the first time.";
  advice.push_back({patient.share(loaded) * 0.9, std::move(remedy)});
}

void fork_for_spawned(const Patient& patient, double loaded, std::vector<Advice>& advice) {
  Remedy remedy;
  remedy.title = "Fork the workers after the data set is built, and hold it in arrays";
  remedy.code = "DataLoader(dataset, ..., multiprocessing_context=\"fork\")";
  remedy.why = fmt::format("Forked workers begin with what the trainer has loaded: the {} would not be loaded again.",
                           bytes_text(loaded));
  remedy.risk =
      "A process must not fork once it has used CUDA or runs threads that hold locks. Python lists would be copied "
      "page "
      "by page after the fork, so this alone only delays the kill.";
  advice.push_back({patient.share(loaded) * 0.6, std::move(remedy)});
}

}  // namespace

void advise_data_set(const Patient& patient, std::vector<Advice>& advice) {
  if (!patient.is("dataloader_duplication")) return;
  const double copied = patient.figure("copied by all workers");
  const double loaded = patient.figure("loaded by all workers");
  if (copied > 0) {
    arrays_for_forks(patient, copied, advice);
    Remedy remedy;
    remedy.title = "Do not change to spawn or forkserver for this";
    remedy.why = fmt::format(
        "Usual advice has it that fork copies the data set at once: it shares it, and copies only pages that are "
        "written. A spawned worker loads a whole copy at its start: up to {} for each of {} workers.",
        format_bytes(patient.trainer_bytes), patient.workers.size());
    remedy.risk =
        "None: it says what not to do. Where CUDA is used before the workers start, fork is no choice, and the "
        "arrays have to be shared tensors.";
    advice.push_back({0, std::move(remedy)});
    return;
  }
  if (loaded <= 0) return;
  sharing_for_spawned(patient, loaded, advice);
  fork_for_spawned(patient, loaded, advice);
}

}  // namespace oomtrace::analysis
