// SPDX-License-Identifier: Apache-2.0
// The recorder's own state, passive, for the live status line and for metrics.
#pragma once

#include <cstdint>

namespace oomtrace {

struct RecorderStatus {
  std::uint64_t events = 0;       // given a seq so far
  std::uint64_t lost_events = 0;  // all sources together
  std::uint64_t kills = 0;        // processes killed by the OOM killer
  std::uint64_t processes = 0;    // alive now
  std::uint64_t trace_bytes = 0;  // written to the file
  std::uint64_t mem_available_bytes = 0;
};

}  // namespace oomtrace
