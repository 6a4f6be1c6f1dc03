// SPDX-License-Identifier: Apache-2.0
// Remedies: the domain's limit, and a throttle before it.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/remedies/commands.h"
#include "analysis/remedies/remedy.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr double kReserve = 1.1;  // over what is known to be needed

// What the run is known to need at least, in words and bytes; 0 where a limit is no answer.
struct Need {
  double bytes = 0;
  std::string why;
};

Need need_of(const Patient& patient) {
  const double size = static_cast<double>(patient.size), trainer = static_cast<double>(patient.trainer_bytes);
  if (patient.is("dataloader_duplication")) {
    const double each =
        std::max(patient.figure("inherited at fork"), patient.figure("held by a worker that had finished loading"));
    const auto workers = static_cast<double>(patient.workers.size());
    if (each <= 0 || workers <= 0) return {};
    return {trainer + each * workers,
            fmt::format("{} of the trainer and {:.0f} x {} of the workers, when all is copied, are {}.",
                        bytes_text(trainer), workers, bytes_text(each), bytes_text(trainer + each * workers))};
  }
  if (patient.is("offload_burst")) {
    // The whole of 16 bytes a parameter, of which 8 came in the burst as far as it went.
    const double needed = patient.figure("held before") + 2 * patient.figure("taken in the burst");
    return {
        std::max(needed, size),
        fmt::format("{} were held before; the kill came {} into the burst, whose end is not known: twice that is taken "
                    "here.",
                    bytes_text(patient.figure("held before")), bytes_text(patient.figure("taken in the burst")))};
  }
  if (patient.is("checkpoint_spike")) {
    const double before = patient.figure("held before");
    return {std::max(before * 2, size),
            fmt::format("A full copy of {} on top of itself needs {}.", bytes_text(before), bytes_text(before * 2))};
  }
  if (patient.is("shm_exhaustion")) {
    return {size * 1.5,
            fmt::format("{} of shared memory were in the limit; half as much again as the limit is taken here, "
                        "since what more would have come is not known.",
                        bytes_text(patient.figure("shared memory in the domain")))};
  }
  if (patient.is("limit_below_working_set") || patient.is("page_cache_pinned") || patient.is("kernel_memory_growth")) {
    return {size * 1.5,
            "How much more the run needs was not seen: start with half as much again, and record the peak."};
  }
  return {};
}

void raise_limit(const Patient& patient, std::vector<Advice>& advice) {
  const Need need = need_of(patient);
  if (!patient.memcg || need.bytes <= 0 || patient.size <= 0) return;
  const double limit = need.bytes * kReserve;
  Remedy remedy;
  remedy.title = fmt::format("Raise the limit from {} to about {}", format_bytes(patient.size), bytes_text(limit));
  remedy.command = limit_command(patient, limit);
  remedy.code = limit_code(patient, limit);
  remedy.why = need.why + fmt::format(" With a tenth in reserve: {}.", bytes_text(limit));
  remedy.risk = "The machine, and others on it, have that much less.";
  const bool best = patient.is("limit_below_working_set");
  advice.push_back({best ? 0.9 : 0.1, std::move(remedy)});
}

void throttle(const Patient& patient, std::vector<Advice>& advice) {
  if (!patient.memcg || patient.size <= 0) return;
  const double high = static_cast<double>(patient.size) * 0.9;
  const auto command = throttle_command(patient, high);
  if (!command) return;
  Remedy remedy;
  remedy.title = "Set memory.high before memory.max";
  remedy.command = *command;
  remedy.why = fmt::format(
      "Above {} the kernel then reclaims and slows the cgroup down instead of killing: time to be warned and to write "
      "a "
      "checkpoint.",
      bytes_text(high));
  remedy.risk = "What grows on is slowed to a crawl rather than ended: watch memory.events (high) and the run's speed.";
  advice.push_back({0.06, std::move(remedy)});
}

void no_oom_kill_disable(const Patient& patient, std::vector<Advice>& advice) {
  const auto version = cgroup_version(patient);
  const auto tool = container_tool(patient);
  if (!patient.memcg || !version || !tool) return;
  Remedy remedy;
  remedy.title = fmt::format("Do not rely on {} run --oom-kill-disable", *tool);
  remedy.why =
      *version == 2
          ? "This machine has cgroup v2, which has no such switch: the option is dropped with a warning or refused."
          : "On cgroup v1 it sets memory.oom_control: instead of being killed, every task that touches memory at "
            "the limit hangs until somebody frees some.";
  remedy.risk = "None: it says what not to do.";
  advice.push_back({0, std::move(remedy)});
}

}  // namespace

void advise_limit(const Patient& patient, std::vector<Advice>& advice) {
  raise_limit(patient, advice);
  throttle(patient, advice);
  no_oom_kill_disable(patient, advice);
}

}  // namespace oomtrace::analysis
