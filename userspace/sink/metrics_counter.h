// SPDX-License-Identifier: Apache-2.0
// Counts what events say, for metrics.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "oomtrace/event.h"
#include "oomtrace/status.h"

namespace oomtrace::sink {

// Fills kills, last kill, losses, headroom and the start of RecorderMetrics. Allocates nothing: it runs on the way of a
// kill.
class MetricsCounter {
 public:
  void on_event(const Event& event) noexcept;

  const RecorderMetrics& metrics() const { return metrics_; }

 private:
  struct Cgroup {
    std::uint64_t id = 0;
    std::uint64_t boot_ns = 0;  // of its last sample
    Headroom headroom;
  };
  // More than the session samples.
  static constexpr std::size_t kMaxCgroups = 128;

  void on(const OomKill& kill, const Event& event) noexcept;
  void on(const SignalKill& signal, const Event& event) noexcept;
  void on(const TraceLost& lost) noexcept;
  void on(const CgroupMemory& memory, std::uint64_t boot_ns) noexcept;
  void find_tightest(std::uint64_t boot_ns) noexcept;

  RecorderMetrics metrics_;
  std::array<Cgroup, kMaxCgroups> cgroups_{};
  std::size_t cgroup_count_ = 0;
};

}  // namespace oomtrace::sink
