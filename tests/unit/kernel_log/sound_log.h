// SPDX-License-Identifier: Apache-2.0
// What holds for the events of any log, however damaged.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <string>

#include "event_collector.h"

namespace oomtrace::kernel_log {

inline void expect_sound(const EventCollector& log, const std::string& name, unsigned seed) {
  EXPECT_TRUE(log.last_seq_ok) << name << " seed " << seed;
  EXPECT_EQ(log.stops, 1U);
  for (std::size_t i = 0; i < log.incidents.size(); ++i) {
    const CollectedIncident& incident = log.incidents[i];
    ASSERT_FALSE(incident.kills.empty());
    EXPECT_EQ(incident.kills[0].decision.incident_id, i + 1);
    EXPECT_EQ(incident.end.incident_id, i + 1) << name << " seed " << seed;
    EXPECT_EQ(incident.end.emitted, incident.candidates.size());
    for (const OomKill& kill : incident.kills) {
      EXPECT_EQ(kill.victim.pid == 0, !kill.no_victim.empty()) << name << " seed " << seed;
      EXPECT_EQ(kill.decision.way, "kernel_log");
    }
  }
}

}  // namespace oomtrace::kernel_log
