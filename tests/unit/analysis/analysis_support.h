// SPDX-License-Identifier: Apache-2.0
// What tests of the analysis share: a world that is fed by short words, and look-ups in its report.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "analysis/build_report.h"
#include "model/world.h"
#include "support/event_builder.h"

namespace oomtrace::analysis {

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

}  // namespace oomtrace::analysis
