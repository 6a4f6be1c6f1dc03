// SPDX-License-Identifier: Apache-2.0
// The stretch of time that led to a kill, found from what the domain's processes held.
#include "analysis/window.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace oomtrace::analysis {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
// Events come at most ten times a second for a process: shorter differences say nothing.
constexpr std::uint64_t kShortest = kSecond / 5;
constexpr std::int64_t kCalm = 8;    // times the usual duration of a level
constexpr std::int64_t kQuick = 4;   // times quicker than usual
constexpr std::size_t kLeast = 3;    // levels of any window
constexpr std::size_t kPhase = 20;   // levels after which a quicker stretch ends it
constexpr std::size_t kStretch = 5;  // levels that a quicker stretch must have
constexpr std::size_t kLevels = 100;
constexpr std::int64_t kSmallest = 1 << 20;

struct Level {
  std::uint64_t at_ns;
  std::int64_t bytes;
};

void add_steps(const model::World& world, const model::Process& process, std::uint64_t start_ns, std::uint64_t to_ns,
               std::uint32_t page_size, std::vector<Level>& steps) {
  std::int64_t held = 0;
  bool first = true;
  for (const auto& point : process.memory.points()) {
    if (point.from_ns > to_ns) break;
    const std::int64_t now = held_at(world, process, point.sample, point.from_ns, page_size);
    const bool older = first && process.origin == model::Origin::kSeen && process.start_boot_ns <= start_ns;
    steps.push_back({older ? start_ns : point.from_ns, now - held});
    held = now;
    first = false;
  }
  if (process.exit_ns && *process.exit_ns < to_ns) steps.push_back({*process.exit_ns, -held});
}

// What all held over time, one entry for each moment of change.
std::vector<Level> held_over_time(const model::World& world, const std::vector<const model::Process*>& members,
                                  std::uint64_t start_ns, std::uint64_t to_ns, std::uint32_t page_size) {
  std::vector<Level> steps;
  for (const model::Process* process : members) add_steps(world, *process, start_ns, to_ns, page_size, steps);
  std::sort(steps.begin(), steps.end(), [](const Level& a, const Level& b) { return a.at_ns < b.at_ns; });
  std::vector<Level> series;
  double sum = 0;
  for (const Level& step : steps) {
    sum += static_cast<double>(step.bytes);
    const auto bytes = static_cast<std::int64_t>(std::clamp(sum, 0.0, 9e18));
    if (!series.empty() && series.back().at_ns == step.at_ns) {
      series.back().bytes = bytes;
    } else {
      series.push_back({step.at_ns, bytes});
    }
  }
  return series;
}

std::uint64_t median(std::vector<std::uint64_t> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

Window find_window(const model::World& world, const model::Incident& incident,
                   const std::vector<const model::Process*>& members, std::uint32_t page_size) {
  const std::uint64_t start_ns = world.traces()[incident.trace].first_boot_ns;
  const Window whole{std::min(start_ns, incident.boot_ns), incident.boot_ns};
  const auto series = held_over_time(world, members, whole.from_ns, whole.to_ns, page_size);
  if (series.size() < 3 || series.back().bytes < kSmallest) return whole;

  const std::int64_t end = series.back().bytes;
  std::vector<std::uint64_t> starts, durations;  // of each level, newest first
  std::size_t i = series.size() - 1;
  std::uint64_t next_ns = whole.to_ns;
  for (std::size_t level = 1; level <= kLevels; ++level) {
    const auto bound = end - static_cast<std::int64_t>(static_cast<double>(end) / kLevels * static_cast<double>(level));
    while (i > 0 && series[i].bytes > bound) --i;
    const bool reached = series[i].bytes <= bound;
    // The figures of moment i held until the next change; what grew in between is told with that change.
    std::uint64_t at_ns = whole.from_ns;
    if (reached && i + 1 < series.size()) {
      const std::uint64_t until = series[i + 1].at_ns;
      at_ns = std::max(series[i].at_ns, until > kSecond ? until - kSecond : 0);
      if (until > 0) at_ns = std::min(at_ns, until - 1);
    }
    at_ns = std::clamp(at_ns, whole.from_ns, next_ns);
    const std::uint64_t took = next_ns - at_ns;
    if (level > kLeast) {
      const std::uint64_t usual = std::max(median(durations), kShortest);
      if (took / kCalm > usual) return {starts.back(), whole.to_ns};
    }
    starts.push_back(at_ns);
    durations.push_back(took);
    if (!reached) return whole;
    if (level > kPhase + kStretch) {
      const std::uint64_t usual = median(std::vector(durations.begin(), durations.begin() + kPhase));
      const std::uint64_t stretch = starts[level - 1 - kStretch] - at_ns;
      if (usual > kShortest && stretch * kQuick < usual * kStretch) {
        return {starts[level - 1 - kStretch], whole.to_ns};
      }
    }
    next_ns = at_ns;
  }
  return {starts.back(), whole.to_ns};
}

}  // namespace oomtrace::analysis
