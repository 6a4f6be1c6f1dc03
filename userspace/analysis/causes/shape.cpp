// SPDX-License-Identifier: Apache-2.0
// How a group grew: in one burst, steadily, or from its start on.
#include "analysis/causes/shape.h"

#include <algorithm>
#include <cmath>

namespace oomtrace::analysis {
namespace {

constexpr double kNs = 1e9;
constexpr double kBurstPart = 0.9, kCalmPart = 0.1;
constexpr double kLinePart = 0.6;
constexpr int kLineStarts = 16, kLineDoublings = 8;
constexpr double kLineGoesOn = 0.95, kSameLine = 0.02;

double seconds_between(std::uint64_t from_ns, std::uint64_t to_ns) {
  return from_ns >= to_ns ? 0 : static_cast<double>(to_ns - from_ns) / kNs;
}

// The last moment at which no more than `bytes` were held, at or before a moment; `start_ns` where there is none.
std::uint64_t last_at_most(const std::vector<Level>& levels, std::int64_t bytes, std::uint64_t before_ns,
                           std::uint64_t start_ns) {
  std::uint64_t found = start_ns;
  for (std::size_t i = 0; i < levels.size() && levels[i].at_ns <= before_ns; ++i) {
    if (levels[i].bytes > bytes) continue;
    found = i + 1 < levels.size() ? std::min(levels[i + 1].at_ns, before_ns) : before_ns;
  }
  return std::max(found, start_ns);
}

void find_burst(Shape& shape, std::uint64_t start_ns, std::uint64_t kill_ns) {
  const auto part = [&](double of) {
    return shape.end_bytes - static_cast<std::int64_t>(of * static_cast<double>(shape.grown_bytes));
  };
  const std::uint64_t begun_ns = last_at_most(shape.levels, part(kBurstPart), kill_ns, start_ns);
  shape.burst_s = seconds_between(begun_ns, kill_ns);
  shape.rise_s = seconds_between(begun_ns, last_at_most(shape.levels, part(kCalmPart), kill_ns, begun_ns));
  const std::uint64_t rose_ns = last_at_most(shape.levels, part(1 + kCalmPart), begun_ns, start_ns);
  shape.calm_s = seconds_between(rose_ns, begun_ns);
}

struct Line {
  double slope = 0, fit = 0;
};

Line fit_line(const std::vector<Level>& levels, std::uint64_t from_ns, std::uint64_t to_ns) {
  // Equal steps of time: a level holds until the next one.
  constexpr int kSteps = 64;
  double st = 0, sb = 0, stt = 0, stb = 0, sbb = 0;
  for (int i = 0; i <= kSteps; ++i) {
    const double t = seconds_between(from_ns, to_ns) * i / kSteps;
    const auto b = static_cast<double>(level_at(levels, from_ns + static_cast<std::uint64_t>(t * kNs)));
    st += t;
    sb += b;
    stt += t * t;
    stb += t * b;
    sbb += b * b;
  }
  constexpr double n = kSteps + 1;
  const double tt = stt - st * st / n, tb = stb - st * sb / n, bb = sbb - sb * sb / n;
  if (tt <= 0 || bb <= 0) return {};
  return {tb / tt, std::clamp(tb * tb / (tt * bb), 0.0, 1.0)};
}

void find_line(Shape& shape, const Window& window, std::uint64_t born_ns) {
  if (shape.grown_bytes <= 0 || window.to_ns <= window.from_ns) return;
  const auto least = shape.end_bytes - static_cast<std::int64_t>(kLinePart * static_cast<double>(shape.grown_bytes));
  std::uint64_t best_ns = window.from_ns;
  for (int i = 0; i < kLineStarts; ++i) {
    const auto start_ns = window.from_ns + (window.to_ns - window.from_ns) / kLineStarts * static_cast<unsigned>(i);
    if (i > 0 && level_at(shape.levels, start_ns) > least) break;
    const Line line = fit_line(shape.levels, start_ns, window.to_ns);
    // A later start must be worth it.
    if (i > 0 && line.fit < shape.line_fit + 0.01) continue;
    shape.line_fit = line.fit;
    shape.line_slope = line.slope;
    best_ns = start_ns;
  }
  // The line may have begun before the window.
  std::uint64_t length = window.to_ns - best_ns;
  for (int i = 0; i < kLineDoublings && length > 0; ++i) {
    const std::uint64_t earlier_ns = std::max(born_ns, best_ns - std::min(best_ns, length));
    if (earlier_ns >= best_ns) break;
    const Line line = fit_line(shape.levels, earlier_ns, window.to_ns);
    if (line.fit < std::max(kLineGoesOn, shape.line_fit - kSameLine)) break;
    shape.line_fit = line.fit;
    shape.line_slope = line.slope;
    best_ns = earlier_ns;
    length = window.to_ns - best_ns;
  }
  shape.line_s = seconds_between(best_ns, window.to_ns);
  std::int64_t highest = level_at(shape.levels, best_ns);
  const std::int64_t from = highest;
  std::int64_t largest = 0;
  for (const Level& level : shape.levels) {
    if (level.at_ns <= best_ns || level.at_ns > window.to_ns || level.bytes <= highest) continue;
    ++shape.line_rises;
    largest = std::max(largest, level.bytes - highest);
    highest = level.bytes;
  }
  if (highest > from) shape.line_largest = static_cast<double>(largest) / static_cast<double>(highest - from);
}

void find_rest(Shape& shape, std::uint64_t born_ns, std::uint64_t kill_ns) {
  const std::int64_t worth = std::max<std::int64_t>(1, shape.end_bytes / 50);
  std::uint64_t since_ns = born_ns;
  std::int64_t highest = 0;
  for (const Level& level : shape.levels) {
    if (level.at_ns > kill_ns) break;
    if (level.bytes < highest + worth) continue;
    shape.longest_rest_s = std::max(shape.longest_rest_s, seconds_between(since_ns, level.at_ns));
    since_ns = std::max(since_ns, level.at_ns);
    highest = level.bytes;
  }
  shape.longest_rest_s = std::max(shape.longest_rest_s, seconds_between(since_ns, kill_ns));
}

void find_mapped(Shape& shape, const Group& group, std::uint64_t kill_ns) {
  const auto half = std::find_if(shape.levels.begin(), shape.levels.end(),
                                 [&](const Level& level) { return level.bytes >= shape.end_bytes / 2; });
  if (half == shape.levels.end()) return;
  for (const Grower& member : group.members) {
    const auto* from = member.process->memory.at(half->at_ns);
    const auto* to = member.process->memory.at(kill_ns);
    const auto file = [](const auto* point) {
      return point ? std::clamp<std::int64_t>(point->sample.counters.file, 0, std::int64_t{1} << 52) : 0;
    };
    shape.mapped_bytes += std::max<std::int64_t>(0, file(to) - file(from));
  }
}

}  // namespace

Shape shape_of(const IncidentContext& incident, const Group& group) {
  Shape shape;
  if (!incident.window || group.members.empty()) return shape;
  const Window& window = *incident.window;
  const model::World& world = incident.context.world;
  const std::uint64_t start_ns = world.traces()[incident.seen.trace].first_boot_ns;
  const std::uint32_t page_size = host_of(world, incident.seen).page_size;
  std::vector<std::vector<Level>> series;
  std::uint64_t born_ns = UINT64_MAX;
  for (const Grower& member : group.members) {
    const model::Process& process = *member.process;
    series.push_back(
        peaks_of(held_levels(incident.context, process, start_ns, window.to_ns, page_size), window.look_back_ns));
    std::uint64_t born = process.start_boot_ns != 0 ? process.start_boot_ns : process.first_seen_ns;
    if (process.exec_ns) born = *process.exec_ns;
    born_ns = std::min(born_ns, born);
  }
  shape.levels = sum_of_levels(series);
  shape.before_bytes = level_at(shape.levels, window.from_ns);
  shape.end_bytes = level_at(shape.levels, window.to_ns);
  shape.grown_bytes = std::max<std::int64_t>(0, shape.end_bytes - shape.before_bytes);
  shape.age_at_start_s = seconds_between(born_ns, window.from_ns);
  shape.age_s = seconds_between(born_ns, window.to_ns);
  find_burst(shape, std::max(born_ns, std::min(start_ns, window.from_ns)), window.to_ns);
  find_line(shape, window, std::max(born_ns, std::min(start_ns, window.from_ns)));
  find_mapped(shape, group, window.to_ns);
  find_rest(shape, std::max(born_ns, std::min(start_ns, window.from_ns)), window.to_ns);
  return shape;
}

}  // namespace oomtrace::analysis
