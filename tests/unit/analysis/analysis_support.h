// SPDX-License-Identifier: Apache-2.0
// What tests of the analysis share: a world that is fed by short words, and look-ups in its report.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "analysis/build_report.h"
#include "model/world.h"
#include "support/event_builder.h"

namespace oomtrace::analysis {

using test::kMiB;
using test::mib;
using test::ref;

inline constexpr CgroupRef kJob{77, "/job"};

constexpr std::uint64_t bytes(double mebibytes) {
  return static_cast<std::uint64_t>(mebibytes * static_cast<double>(kMiB));
}

struct AnalysisTest : ::testing::Test {
  model::World world;
  test::EventStream events{[this](const Event& event) { world.apply(event); }};

  Report report() const { return build_report(world, {"trace", "test.oomtrace", {}}); }

  // The only incident of the report.
  Incident incident() const {
    const Report all = report();
    EXPECT_EQ(all.incidents.size(), 1u);
    return all.incidents.empty() ? Incident{} : all.incidents.front();
  }

  static const Candidate* candidate(const Selection& selection, std::uint32_t pid) {
    const auto found = std::find_if(selection.candidates.begin(), selection.candidates.end(),
                                    [&](const Candidate& row) { return row.pid == pid; });
    return found == selection.candidates.end() ? nullptr : &*found;
  }
  static ProcessGrowth growth_of(const Incident& incident, std::uint32_t pid) {
    if (incident.growth) {
      for (const ProcessGrowth& row : incident.growth->processes) {
        if (row.pid == pid) return row;
      }
    }
    return {};
  }
  static const Death* death(const Report& report, std::uint32_t pid) {
    const auto found =
        std::find_if(report.deaths.begin(), report.deaths.end(), [&](const Death& row) { return row.pid == pid; });
    return found == report.deaths.end() ? nullptr : &*found;
  }
};

// One kill in kJob, at its limit of 1000 MiB.
struct JobKillTest : AnalysisTest {
  // What holds so much from the start on forks at 20 s.
  void start_and_fork(const ProcessRef& parent, const ProcessRef& child, double held_mib) {
    events.at(1).start();
    events.memory(parent, mib(held_mib), 0, kJob);
    events.at(20).fork(parent, child, mib(held_mib));
  }
  void kill(const ProcessRef& victim, const MemoryCounters& counters, std::int32_t oom_score_adj = 0) {
    OomKill kill = test::memcg_kill(1, victim, counters, kJob, 1000 * kMiB);
    kill.oom_score_adj = oom_score_adj;
    events.emit(kill);
  }
};

}  // namespace oomtrace::analysis
