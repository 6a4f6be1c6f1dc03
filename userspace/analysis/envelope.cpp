// SPDX-License-Identifier: Apache-2.0
// What processes hold from peak to peak.
#include "analysis/envelope.h"

#include <algorithm>
#include <deque>

namespace oomtrace::analysis {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

using model::MemorySample;
using Point = model::Timeline<MemorySample>::Point;

std::int64_t sane(std::int64_t bytes) { return std::clamp<std::int64_t>(bytes, 0, std::int64_t{1} << 52); }

std::int64_t resident(const MemoryCounters& counters) {
  return sane(counters.anon) + sane(counters.file) + sane(counters.shmem);
}

// How far above the first of two samples the process went between them, as far as that was given back again: it took
// more page faults than its growth needs, and mm_struct.hiwater_rss (set when memory is given back) says how high it
// came. 0 where the faults went into growth.
std::int64_t taken_and_given_back(const Point& from, const Point& to, std::uint32_t page_size) {
  constexpr double kMoreThanGrowth = 1.5;
  constexpr std::int64_t kNoise = 4 << 20;
  constexpr double kStep = 2.0 * kSecond;  // of a longer time between samples only so much can have been held at once
  if (!to.sample.counters.hiwater_rss) return 0;
  const auto fresh = [](const FaultCounts& faults) {
    return static_cast<double>(faults.fresh) + static_cast<double>(faults.kernel_fresh);
  };
  const double faults = fresh(to.sample.faults) - fresh(from.sample.faults);
  const double time = static_cast<double>(to.from_ns - std::min(from.from_ns, to.from_ns));
  double taken = std::max(0.0, faults) * page_size;
  const std::int64_t grown = resident(to.sample.counters) - resident(from.sample.counters);
  if (taken <= kMoreThanGrowth * static_cast<double>(std::max<std::int64_t>(0, grown)) + kNoise) return 0;
  if (time > kStep) taken *= kStep / time;
  const auto highest = static_cast<std::int64_t>(std::min(*to.sample.counters.hiwater_rss, std::uint64_t{1} << 52));
  return std::min(highest - resident(from.sample.counters), static_cast<std::int64_t>(std::min(taken, 4e15)));
}

}  // namespace

std::uint64_t look_back_of(std::uint64_t stretch_ns) { return std::max(kSecond, stretch_ns / 10); }

std::vector<Level> held_levels(const Context& context, const model::Process& process, std::uint64_t start_ns,
                               std::uint64_t to_ns, std::uint32_t page_size) {
  std::vector<Level> levels;
  const auto& points = process.memory.points();
  const std::vector<std::int64_t>& held = context.held.of(process, page_size).bytes;
  for (std::size_t i = 0; i < points.size() && points[i].from_ns <= to_ns; ++i) {
    const MemorySample& sample = points[i].sample;
    const bool older = i == 0 && process.origin == model::Origin::kSeen && process.start_boot_ns <= start_ns;
    // Points that were merged into this one may have been higher.
    std::int64_t above = sane(sample.high_rss) - resident(sample.counters);
    if (i + 1 < points.size() && points[i + 1].from_ns <= to_ns) {
      above = std::max(above, taken_and_given_back(points[i], points[i + 1], page_size));
    }
    levels.push_back({older ? std::min(start_ns, points[i].from_ns) : points[i].from_ns,
                      held[i] + std::max<std::int64_t>(0, above)});
  }
  if (process.exit_ns && *process.exit_ns < to_ns && !levels.empty()) {
    levels.push_back({std::max(*process.exit_ns, levels.back().at_ns), 0});
  }
  return levels;
}

std::vector<Level> peaks_of(const std::vector<Level>& held, std::uint64_t look_back_ns) {
  struct Standing {
    std::uint64_t gone_ns;  // when its last moment is out of sight
    std::int64_t bytes;
  };
  std::vector<Level> peaks;
  std::deque<Standing> standing;  // falling in bytes, rising in time
  const auto tell = [&](std::uint64_t at_ns) {
    const std::int64_t bytes = standing.empty() ? 0 : standing.front().bytes;
    if (!peaks.empty() && peaks.back().at_ns == at_ns) {
      peaks.back().bytes = bytes;
    } else if (peaks.empty() || peaks.back().bytes != bytes) {
      peaks.push_back({at_ns, bytes});
    }
  };
  for (std::size_t i = 0; i < held.size(); ++i) {
    while (!standing.empty() && standing.front().gone_ns <= held[i].at_ns) {
      const std::uint64_t gone_ns = standing.front().gone_ns;
      standing.pop_front();
      if (!standing.empty()) tell(gone_ns);
    }
    const bool last = i + 1 == held.size();
    if (held[i].bytes == 0 && last) {
      standing.clear();
      tell(held[i].at_ns);
      break;
    }
    while (!standing.empty() && standing.back().bytes <= held[i].bytes) standing.pop_back();
    standing.push_back({last ? UINT64_MAX : held[i + 1].at_ns + look_back_ns, held[i].bytes});
    tell(held[i].at_ns);
  }
  return peaks;
}

std::int64_t level_at(const std::vector<Level>& levels, std::uint64_t at_ns) {
  const auto next = std::upper_bound(levels.begin(), levels.end(), at_ns,
                                     [](std::uint64_t time, const Level& level) { return time < level.at_ns; });
  return next == levels.begin() ? 0 : std::prev(next)->bytes;
}

std::vector<Level> sum_of_levels(const std::vector<std::vector<Level>>& series) {
  std::vector<Level> steps;
  for (const std::vector<Level>& levels : series) {
    std::int64_t before = 0;
    for (const Level& level : levels) {
      steps.push_back({level.at_ns, level.bytes - before});
      before = level.bytes;
    }
  }
  std::stable_sort(steps.begin(), steps.end(), [](const Level& a, const Level& b) { return a.at_ns < b.at_ns; });
  std::vector<Level> sums;
  double sum = 0;
  for (const Level& step : steps) {
    sum += static_cast<double>(step.bytes);
    const auto bytes = static_cast<std::int64_t>(std::clamp(sum, 0.0, 9e18));
    if (!sums.empty() && sums.back().at_ns == step.at_ns) {
      sums.back().bytes = bytes;
    } else {
      sums.push_back({step.at_ns, bytes});
    }
  }
  return sums;
}

}  // namespace oomtrace::analysis
