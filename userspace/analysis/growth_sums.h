// SPDX-License-Identifier: Apache-2.0
// Growth added up by kind of memory.
#pragma once

#include <algorithm>
#include <cstdint>

#include "oomtrace/report.h"

namespace oomtrace::analysis {

// Bytes of the processes that grew, by kind; what a process moved between kinds nets out in its own sum only.
struct GrowthSums {
  std::int64_t fresh_anon = 0, copied = 0, file = 0, shmem = 0, swap = 0;
};

inline GrowthSums sum_growth(const Growth& growth) {
  GrowthSums sums;
  for (const ProcessGrowth& process : growth.processes) {
    if (process.grown_bytes <= 0) continue;
    sums.fresh_anon += process.fresh_anon_bytes.value_or(0);
    sums.copied += process.cow_copied_bytes.value_or(0);
    sums.file += process.file_bytes.value_or(0);
    sums.shmem += process.shmem_bytes.value_or(0);
    sums.swap += process.swap_bytes.value_or(0);
  }
  return sums;
}

}  // namespace oomtrace::analysis
