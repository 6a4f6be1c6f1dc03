// SPDX-License-Identifier: Apache-2.0
// Reports that the tests of the renderers share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "oomtrace/report.h"

namespace oomtrace::test {

struct Sample {
  std::string name;  // also that of its golden files
  Report report;
};

Report worker_report();       // a worker driven into a memory cgroup's limit, recorded
Report group_kill_report();   // memory.oom.group: twelve victims
Report crowd_report();        // 300 candidates, the victim far from the top, excluded ones
Report bare_report();         // nothing known but the victim
Report no_incident_report();  // deaths and a diagnosis
Report outside_report();      // all incidents lie outside of the time that was chosen
Report empty_report();        // nothing at all
Report hostile_report();      // control characters, long paths, invalid bytes
Report wide_name_report();    // CJK, emoji and combining marks
std::vector<Sample> samples();

// Any report: every field known or not, text of any bytes, numbers of any size.
Report random_report(std::uint64_t seed);

}  // namespace oomtrace::test
