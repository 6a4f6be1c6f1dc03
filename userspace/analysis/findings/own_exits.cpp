// SPDX-License-Identifier: Apache-2.0
// A program that ended itself: an error of its own, a crash, or an allocation that was refused.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/findings/finding.h"
#include "analysis/findings/refused.h"
#include "analysis/findings/room.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr std::int32_t kSigBus = 7, kSigAbort = 6;
constexpr int kMost = 3;

Remedy read_the_message() {
  Remedy remedy;
  remedy.title = "Read the last lines that the program wrote";
  remedy.why =
      "It ended by itself, so it had the time to say why: MemoryError and \"can't allocate memory\" mean a refused "
      "allocation, everything else is no matter of memory.";
  remedy.risk = "None.";
  return remedy;
}

Remedy look_at_the_core() {
  Remedy remedy;
  remedy.title = "Look at where it crashed";
  remedy.command = "coredumpctl info PID   # or python3 -X faulthandler train.py for the next run";
  remedy.why = "More memory does not help a program that reads or writes where it may not.";
  remedy.risk = "None.";
  return remedy;
}

// "ended by itself with exit code 1, not by the OOM killer"
std::string how_text(const Death& death) {
  if (death.signal) return fmt::format("crashed ({}), without the OOM killer's doing", signal_name(*death.signal));
  return fmt::format("ended by itself with exit code {}, not by the OOM killer", death.exit_code.value_or(0));
}

Diagnosis diagnose(const Aftermath& aftermath, const Ending& ending) {
  const model::Process& process = *ending.process;
  const Death& death = ending.death;
  Diagnosis diagnosis;
  Cause& cause = diagnosis.cause;
  const std::int64_t peak = peak_of(process);
  if (death.signal) {
    cause.evidence = {{"signal", static_cast<double>(*death.signal), "", "process.exit"}};
  } else {
    cause.evidence = {{"exit code", static_cast<double>(death.exit_code.value_or(0)), "", "process.exit"}};
  }
  cause.evidence.push_back({"held at most", static_cast<double>(peak), "bytes", "process.memory"});
  // C++ programs abort() where an allocation throws and nobody catches it.
  const bool may_be_refused = !death.signal || death.signal == kSigAbort;
  const auto refusal = may_be_refused ? refusal_of(aftermath.context, ending, cause.evidence) : std::nullopt;
  const auto room = room_at(aftermath.context, process, ending.at_ns);
  cause.kind = refusal ? "allocation_refused" : death.signal ? "crash" : "exit_error";
  cause.confidence = refusal ? refusal->confidence : death.signal ? 0.9 : 0.6;
  cause.summary = fmt::format("{} {}; it held {} at most", named(process), how_text(death), format_bytes(peak));
  if (room) {
    cause.summary +=
        fmt::format(", and {} of {} were used in {}", format_bytes(room->used), format_bytes(room->size), room->where);
    add_evidence(*room, cause.evidence);
  }
  cause.summary += followers_text(aftermath.followers(ending)) + ".";
  if (refusal) {
    cause.summary += fmt::format(" An allocation {} been refused (a Python MemoryError): {}.",
                                 refusal->confidence > 0.5 ? "has probably" : "may have", refusal->rule);
    diagnosis.remedies.push_back(remedy_of(*refusal));
  }
  diagnosis.remedies.push_back(death.signal && !refusal ? look_at_the_core() : read_the_message());
  return diagnosis;
}

}  // namespace

void find_own_exits(const Aftermath& aftermath, std::vector<Diagnosis>& found) {
  int told = 0;
  for (const Ending* ending : aftermath.roots()) {
    const Death& death = ending->death;
    const bool crash = death.verdict == "crash_signal" && death.signal != kSigBus;
    if ((death.verdict != "exit_error" && !crash) || told == kMost) continue;
    // A stranger's error is its own concern, a launcher's that of its ranks.
    if (!aftermath.concerns(*ending->process)) continue;
    if (aftermath.context.role(ending->process->id) == model::Role::kLauncher) continue;
    found.push_back(diagnose(aftermath, *ending));
    ++told;
  }
}

}  // namespace oomtrace::analysis
