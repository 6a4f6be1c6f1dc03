// SPDX-License-Identifier: Apache-2.0
// The stretch of time that led to a kill, found from what the domain's processes held.
#include "analysis/window.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "analysis/envelope.h"

namespace oomtrace::analysis {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
// Events come at most ten times a second for a process: shorter differences say nothing.
constexpr std::uint64_t kShortest = kSecond / 5;
// From the first to the last that one census tells: none of them was there before another.
constexpr std::uint64_t kOneCensus = kSecond / 50;
// The census, which tells what moved by less than the threshold of an event, comes once a second: what the last second
// told of one process may have been there before another began.
constexpr std::uint64_t kCensus = kSecond;
constexpr std::int64_t kCalm = 8;              // times the usual duration of a level
constexpr std::int64_t kQuick = 4;             // times quicker than usual
constexpr std::size_t kLeast = 3;              // levels of any window
constexpr std::size_t kPhase = 20;             // levels after which a quicker stretch ends it
constexpr std::size_t kStretch = 5;            // levels that a quicker stretch, or one of others, must have
constexpr double kLeads = 0.6, kRests = 0.25;  // share of the climb of who leads, and of who has not begun
constexpr std::uint64_t kRest = 30 * kSecond;  // a rest at the top that is worth a window of its own
constexpr std::size_t kLevels = 100;
constexpr std::uint64_t kFirstLook = 60 * kSecond, kWider = 4;  // times the look before, where that was too short
constexpr std::int64_t kSmallest = 1 << 20;

// A program, or the helpers of one.
using Group = std::pair<model::ProcessId, bool>;
using Holding = std::vector<std::int64_t>;  // of each group of a climb, in bytes

struct Climb {
  std::vector<Level> total;  // what all held, one entry for each moment of change
  std::vector<Group> groups;
  std::vector<std::vector<Level>> levels;  // of each group

  Holding held_at(std::uint64_t at_ns) const {
    Holding holding;
    holding.reserve(levels.size());
    for (const auto& one : levels) holding.push_back(level_at(one, at_ns));
    return holding;
  }
};

// As it was from `since_ns` on: whoever had ended by then, and what was held before, is left out.
Climb climb_of(const Context& context, const std::vector<const model::Process*>& members, const Window& whole,
               std::uint32_t page_size, std::uint64_t since_ns) {
  std::map<Group, std::vector<std::vector<Level>>> series;
  for (const model::Process* process : members) {
    auto peaks = peaks_of(held_levels(context, *process, whole.from_ns, whole.to_ns, page_size), whole.look_back_ns);
    if (peaks.empty()) continue;
    series[{context.units.of(process->id), context.units.is_helper(process->id)}].push_back(std::move(peaks));
  }
  Climb climb;
  for (const auto& [group, peaks] : series) {
    climb.groups.push_back(group);
    climb.levels.push_back(sum_of_levels(peaks));
  }
  climb.total = sum_of_levels(climb.levels);
  std::erase_if(climb.total, [&](const Level& level) { return level.at_ns < since_ns; });
  return climb;
}

std::uint64_t median(std::vector<std::uint64_t> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double risen(const Holding& from, const Holding& to, std::size_t group) {
  return static_cast<double>(to[group] - from[group]);
}

double all_risen(const Holding& from, const Holding& to) {
  double sum = 0;
  for (std::size_t group = 0; group < to.size(); ++group) sum += std::max(0.0, risen(from, to, group));
  return sum;
}

// Whether who led the climb from `middle_ns` to `end_ns` had no part in the one from `start_ns` to `middle_ns`. That is
// looked at for as long as a census at least: within one, all whom it tells climb at once, and nobody else.
bool others_climbed(const Climb& climb, std::uint64_t start_ns, std::uint64_t middle_ns, std::uint64_t end_ns) {
  if (middle_ns > kCensus) start_ns = std::min(start_ns, middle_ns - kCensus);
  start_ns = std::max(start_ns, climb.total.front().at_ns);
  const Holding start = climb.held_at(start_ns), middle = climb.held_at(middle_ns), end = climb.held_at(end_ns);
  const double late = all_risen(middle, end), early = all_risen(start, middle);
  if (late <= 0 || early <= 0) return false;
  for (std::size_t group = 0; group < end.size(); ++group) {
    const double led = risen(middle, end, group);
    if (led < kLeads * late) continue;
    const bool told_at_once = risen(middle, climb.held_at(middle_ns + kOneCensus), group) > led / 2;
    return !told_at_once && risen(start, middle, group) <= kRests * early;
  }
  return false;
}

// Helpers of a program start with nothing: where they led the climb, it began with the first of them. nullopt where
// that was before `since_ns`.
std::optional<Window> since_their_birth(const Context& context, const std::vector<const model::Process*>& members,
                                        const Climb& climb, Window window, std::uint64_t since_ns) {
  const Holding begin = climb.held_at(window.from_ns), end = climb.held_at(window.to_ns);
  const double late = all_risen(begin, end);
  for (std::size_t group = 0; group < end.size(); ++group) {
    const auto& [unit, helpers] = climb.groups[group];
    if (!helpers || risen(begin, end, group) < kLeads * late) continue;
    std::uint64_t born_ns = window.from_ns;
    for (const model::Process* process : members) {
      const bool one_of_them = context.units.is_helper(process->id) && context.units.of(process->id) == unit;
      if (!one_of_them || process->origin != model::Origin::kFork || !process->alive_at(window.to_ns)) continue;
      born_ns = std::min(born_ns, process->first_seen_ns);
    }
    if (born_ns < since_ns) return std::nullopt;
    const Holding start = climb.held_at(born_ns);
    if (risen(start, end, group) >= kLeads * all_risen(start, end)) window.from_ns = born_ns;
  }
  return window;
}

// The latest level up to which the others climbed on.
std::size_t last_of_others(const Climb& climb, const std::vector<std::size_t>& places, std::size_t middle,
                           std::uint64_t end_ns) {
  const auto time = [&](std::size_t level) { return climb.total[places[level]].at_ns; };
  std::size_t last = middle;
  for (std::size_t level = middle; level-- > 0;) {
    if (places[level] == places[last]) continue;
    if (end_ns - time(level) < kCensus || !others_climbed(climb, time(middle), time(level), end_ns)) break;
    last = level;
  }
  return last;
}

// The level with which a rest at the top began: the newest ones took far longer than those before, which explain no
// kill so much later.
std::optional<std::size_t> rest_at_the_top(const std::vector<std::uint64_t>& starts,
                                           const std::vector<std::uint64_t>& durations, std::uint64_t to_ns) {
  const std::uint64_t rest = to_ns - starts[kLeast - 1];
  const std::uint64_t usual =
      std::max(median({durations.begin() + static_cast<std::ptrdiff_t>(kLeast), durations.end()}), kShortest);
  if (rest < kRest || rest / kLeast / kCalm < usual) return std::nullopt;
  std::size_t last = kLeast - 1;
  while (durations[last] < rest / kLeast / 2) --last;  // one of them is at least the mean
  return last;
}

}  // namespace

Window find_window(const Context& context, const model::Incident& incident, const DomainMembers& members,
                   std::uint32_t page_size) {
  const std::uint64_t start_ns = std::min(context.world.traces()[incident.trace].first_boot_ns, incident.boot_ns);
  for (std::uint64_t look_ns = kFirstLook; look_ns < (incident.boot_ns - start_ns) / kWider; look_ns *= kWider) {
    if (const auto found = find_window_since(context, incident, members, page_size, incident.boot_ns - look_ns))
      return *found;
  }
  return *find_window_since(context, incident, members, page_size, 0);
}

std::optional<Window> find_window_since(const Context& context, const model::Incident& incident,
                                        const DomainMembers& domain, std::uint32_t page_size, std::uint64_t since_ns) {
  const std::uint64_t start_ns = std::min(context.world.traces()[incident.trace].first_boot_ns, incident.boot_ns);
  const Window whole{start_ns, incident.boot_ns, look_back_of(incident.boot_ns - start_ns)};
  const auto members = domain.of(context.processes.lived_in(domain.boot(), since_ns, whole.to_ns));
  const Climb climb = climb_of(context, members, whole, page_size, since_ns);
  const auto from = [&](std::uint64_t at_ns) {
    return since_their_birth(context, members, climb, {at_ns, whole.to_ns, whole.look_back_ns}, since_ns);
  };
  const std::vector<Level>& series = climb.total;
  if (series.size() < 3 && since_ns > 0) return std::nullopt;
  if (series.size() < 3 || series.back().bytes < kSmallest) return whole;

  const std::int64_t end = series.back().bytes;
  std::vector<std::uint64_t> starts, durations;  // of each level, newest first
  std::vector<std::size_t> places;               // of each level in the series
  std::size_t i = series.size() - 1;
  std::uint64_t next_ns = whole.to_ns;
  for (std::size_t level = 1; level <= kLevels; ++level) {
    const auto bound = end - static_cast<std::int64_t>(static_cast<double>(end) / kLevels * static_cast<double>(level));
    while (i > 0 && series[i].bytes > bound) --i;
    const bool reached = series[i].bytes <= bound;
    if (!reached && since_ns > 0) {
      // It was reached before the first that is known: calm already, wherever that was?
      const std::uint64_t latest_ns = std::max(series.front().at_ns - 1, whole.from_ns);
      const bool calm = level > kLeast && latest_ns < next_ns &&
                        (next_ns - latest_ns) / kCalm > std::max(median(durations), kShortest);
      return calm ? from(starts.back()) : std::nullopt;
    }
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
      if (took / kCalm > usual) return from(starts.back());
    }
    starts.push_back(at_ns);
    durations.push_back(took);
    places.push_back(i);
    if (level == kPhase) {
      if (const auto rest = rest_at_the_top(starts, durations, whole.to_ns)) {
        return from(std::max(starts[*rest], series[std::min(places[*rest] + 1, series.size() - 1)].at_ns));
      }
    }
    if (level > kLeast + kStretch) {
      const std::size_t middle = level - 1 - kStretch;
      if (since_ns > 0 && series[places[middle]].at_ns < series.front().at_ns + kCensus) return std::nullopt;
      if (whole.to_ns - starts[middle] >= kCensus &&
          others_climbed(climb, series[i].at_ns, series[places[middle]].at_ns, whole.to_ns)) {
        return from(starts[last_of_others(climb, places, middle, whole.to_ns)]);
      }
    }
    if (!reached) {
      // Who was first seen with much and crept on from there: the climb is what came after.
      const std::uint64_t usual = level > kPhase ? median(durations) : 0;
      const bool crept =
          usual > kShortest && level + kStretch < kLevels && series.front().at_ns <= whole.from_ns + usual;
      return crept ? from(starts[level - 2]) : whole;
    }
    if (level > kPhase + kStretch) {
      const std::uint64_t usual = median(std::vector(durations.begin(), durations.begin() + kPhase));
      const std::uint64_t stretch = starts[level - 1 - kStretch] - at_ns;
      // The first level of the quick stretch may have been one jump and a rest: neither belongs to what came then.
      if (usual > kShortest && stretch * kQuick < usual * kStretch) return from(starts[level - 2 - kStretch]);
    }
    next_ns = at_ns;
  }
  return from(starts.back());
}

}  // namespace oomtrace::analysis
