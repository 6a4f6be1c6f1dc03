// SPDX-License-Identifier: Apache-2.0
// Figures as metrics of Prometheus: names, help texts, labels. docs/metrics.md lists the same.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "oomtrace/status.h"
#include "sink/metrics_outlets.h"

namespace oomtrace::sink {

// What the kernel says of this process.
struct SelfUsage {
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
};
SelfUsage read_self_usage();

// Every series there will ever be, counters from zero on: a rate needs the value before the first kill. No label holds
// anything of a process.
std::vector<prometheus::MetricFamily> make_families(const RecorderMetrics& metrics, const SelfUsage& self,
                                                    const BuildInfo& build);

}  // namespace oomtrace::sink
