// SPDX-License-Identifier: Apache-2.0
// Remedies: steady growth.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/remedies/remedy.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

void graphs(const Patient& patient, double grown, std::vector<Advice>& advice) {
  Remedy remedy;
  remedy.title = "Keep numbers, not tensors with their graphs";
  remedy.code =
      "history.append(loss.item())           # not history.append(loss)\n"
      "with torch.no_grad():                 # for validation and metrics\n"
      "    metric = evaluate(model, batch)";
  remedy.why = fmt::format(
      "A loss that is kept keeps the whole graph of its step: memory rises by the same amount at each step, as it did "
      "here, by {} in all.",
      bytes_text(grown));
  remedy.risk = "None for numbers that are only shown. What is needed for a later backward() has to stay.";
  advice.push_back({patient.share(grown), std::move(remedy)});
}

void queues(const Patient& patient, double grown, double pace, std::vector<Advice>& advice) {
  Remedy remedy;
  remedy.title = "Bound every queue and cache between producer and trainer";
  remedy.code =
      "q = queue.Queue(maxsize=8)            # put() waits when the trainer is behind\n"
      "@functools.lru_cache(maxsize=1024)    # not maxsize=None";
  remedy.why = fmt::format(
      "A producer that is faster than the trainer fills an unbounded queue at a steady pace: {} a second would be the "
      "difference between the two.",
      bytes_text(pace));
  remedy.risk = "The producer waits: look whether the loader or the training is what limits the throughput.";
  advice.push_back({patient.share(grown) * 0.9, std::move(remedy)});
}

void worker_caches(const Patient& patient, double grown, std::vector<Advice>& advice) {
  Remedy remedy;
  remedy.title = "Bound what the data set keeps in each worker";
  remedy.code =
      "@functools.lru_cache(maxsize=1024)    # in the data set, for each worker; not a dict that only grows\n"
      "DataLoader(..., persistent_workers=False)  # workers that leak end with the epoch";
  remedy.why = fmt::format(
      "The workers grew by {} in their own memory: what __getitem__() caches is kept in each of {} processes.",
      bytes_text(grown), std::max<std::size_t>(1, patient.group ? patient.group->members.size() : 1));
  remedy.risk = "A smaller cache reads more from disk; workers started anew at each epoch cost seconds.";
  advice.push_back({patient.share(grown), std::move(remedy)});
}

void find_it(const Patient& patient, std::vector<Advice>& advice) {
  const std::uint32_t pid = patient.group ? patient.group->top().pid : 0;
  Remedy remedy;
  remedy.title = "Find the line that allocates, in the next run";
  remedy.command = "python3 -m memray run --native --follow-fork train.py; python3 -m memray flamegraph --leaks FILE";
  remedy.why = fmt::format(
      "Memory says that pid {} grew, not for which object. A profile of a few minutes at this pace is enough; stopping "
      "well before the limit leaves a complete file.",
      pid);
  remedy.risk = "The profiled run is slower, and its file large.";
  advice.push_back({0.05, std::move(remedy)});
}

void more_memory(const Patient& patient, double pace, std::vector<Advice>& advice) {
  if (pace <= 0 || patient.size <= 0) return;
  const double seconds = std::min(static_cast<double>(patient.size) / pace, 1e10);
  Remedy remedy;
  remedy.title = "A higher limit only delays this";
  remedy.why = fmt::format("At {} a second, twice the limit of {} would have lasted {} longer.", bytes_text(pace),
                           format_bytes(patient.size), format_duration(static_cast<std::uint64_t>(seconds * 1e9)));
  remedy.risk = "Checkpoints often enough to lose little, and a restart, bridge the time until the leak is found.";
  advice.push_back({0, std::move(remedy)});
}

}  // namespace

void advise_leak(const Patient& patient, std::vector<Advice>& advice) {
  if (!patient.is("steady_growth")) return;
  const double grown = patient.group ? static_cast<double>(patient.group->grown_bytes) : 0;
  const double pace = patient.figure("pace");
  if (patient.group && patient.group->helpers) {
    worker_caches(patient, grown, advice);
  } else {
    graphs(patient, grown, advice);
    queues(patient, grown, pace, advice);
  }
  find_it(patient, advice);
  more_memory(patient, pace, advice);
}

}  // namespace oomtrace::analysis
