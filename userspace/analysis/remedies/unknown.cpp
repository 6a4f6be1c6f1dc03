// SPDX-License-Identifier: Apache-2.0
// No cause is known: where to look, by the kind of memory that grew most; or how to see it the next time.
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "analysis/domain_ledger.h"
#include "analysis/growth_sums.h"
#include "analysis/remedies/remedy.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

void watch(bool narrowed, std::vector<Advice>& advice) {
  Remedy remedy;
  remedy.title =
      narrowed ? "Record the next run without --pid, --cgroup and --events: what tells it was not among the chosen"
               : "Record the next run: nobody watched this one";
  remedy.command = "sudo oomtrace record -- COMMAND   # or beside it: sudo oomtrace record";
  remedy.why =
      "What is known is of the moment of the kill: who grew, since when and by which kind of memory is not in it.";
  remedy.risk = "It needs root; docs/performance.md says what it costs.";
  advice.push_back({0.2, std::move(remedy)});
}

struct Look {
  std::int64_t grown = 0;
  const char *what = "", *title = "", *command = "";
};

// ", most of it of python3 (pid 7)"
std::string whose_growth(const Growth& growth) {
  constexpr double kMost = 0.5;
  if (!growth.driver || !growth.driver->comm) return {};
  const Driver& driver = *growth.driver;
  return fmt::format(", {} of it of {}", driver.share >= kMost ? "most" : format_percent(driver.share),
                     named(*driver.comm, driver.pid.value_or(0)));
}

void look(const Patient& patient, std::vector<Advice>& advice) {
  const Growth& growth = *patient.incident.report.growth;
  const GrowthSums sums = sum_growth(growth);
  const std::vector<Look> looks = {
      {sums.fresh_anon, "fresh anonymous memory", "See which allocations grow",
       "memray run --native -o out.bin train.py && memray flamegraph --leaks out.bin   # no Python: heaptrack COMMAND"},
      {sums.copied, "pages copied after fork", "See which of the shared pages are written to",
       "grep -E '^(Pss|Private_Dirty|Anonymous)' /proc/PID/smaps_rollup   # each worker, after fork and later"},
      {sums.shmem, "shared memory", "See who keeps shared memory",
       "df -h /dev/shm; ls -l /proc/[0-9]*/fd 2>/dev/null | grep -E '/dev/shm|memfd' | sort | uniq -c | sort -n | "
       "tail"},
      {sums.file, "file pages", "See which files are mapped and how much of them is in memory",
       "grep -E '^(Rss|Locked)|^[0-9a-f]+-' /proc/PID/smaps | grep -B1 -E 'Rss: +[0-9]{5,}'"},
      {sums.swap, "swap", "See who is swapped out", "grep VmSwap /proc/[0-9]*/status | sort -k2 -n | tail"},
  };
  const auto most =
      std::max_element(looks.begin(), looks.end(), [](const Look& a, const Look& b) { return a.grown < b.grown; });
  Remedy remedy;
  if (most->grown <= 0) {
    remedy.title = "Record for longer: what filled the memory came before the recording";
    remedy.command = "sudo oomtrace record -- COMMAND   # from the start of the run on";
    remedy.why = fmt::format("Only {} came while the recorder watched; the rest was there before.",
                             format_bytes(growth.grown_bytes));
    remedy.risk = "None.";
  } else {
    remedy.title = most->title;
    remedy.command = most->command;
    // Measured one by one, a kind may come to slightly more than all of the growth.
    const std::string part = most->grown < growth.grown_bytes ? fmt::format("{} of the {}", format_bytes(most->grown),
                                                                            format_bytes(growth.grown_bytes))
                                                              : fmt::format("The {}", format_bytes(growth.grown_bytes));
    remedy.why = fmt::format("{} that came in the window were {}{}.", part, most->what, whose_growth(growth));
    remedy.risk = "Profilers slow the run down: a short one with the same growth will do.";
  }
  advice.push_back({0.2, std::move(remedy)});
}

}  // namespace

void advise_unknown(const Patient& patient, std::vector<Advice>& advice) {
  if (!patient.is("unknown") && !patient.cause().kind.empty()) return;
  if (asked_for_with_room(patient.incident.context.world, patient.incident.seen)) return;
  if (patient.incident.report.growth) {
    look(patient, advice);
  } else if (!patient.incident.report.growth_left_out) {
    watch(patient.incident.report.narrowed, advice);
  }
}

}  // namespace oomtrace::analysis
