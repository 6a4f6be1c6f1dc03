// SPDX-License-Identifier: Apache-2.0
// What each role held over the window.
#include "analysis/growth_timeline.h"

#include <algorithm>
#include <map>
#include <string>

#include "analysis/envelope.h"

namespace oomtrace::analysis {
namespace {

constexpr std::size_t kMoments = 61;  // 60 steps

std::vector<Level> own_levels(const model::World& world, const model::Process& process, const Window& window,
                              std::uint32_t page_size) {
  std::vector<Level> levels;
  for (const auto& point : process.memory.points()) {
    if (point.from_ns > window.to_ns) break;
    model::MemorySample own = point.sample;
    own.counters.shmem = process.inherited ? process.inherited->shmem : 0;
    levels.push_back({point.from_ns, held_at(world, process, own, point.from_ns, page_size)});
  }
  // What was there before the trace was there from its start on.
  if (!levels.empty() && process.origin == model::Origin::kSeen && process.start_boot_ns <= window.from_ns)
    levels.front().at_ns = std::min(levels.front().at_ns, window.from_ns);
  if (!levels.empty() && process.exit_ns && *process.exit_ns <= window.to_ns)
    levels.push_back({std::max(*process.exit_ns, levels.back().at_ns), 0});
  return levels;
}

}  // namespace

std::optional<GrowthTimeline> growth_timeline(const Context& context, const std::vector<const model::Process*>& members,
                                              const Window& window, std::uint32_t page_size) {
  if (window.to_ns <= window.from_ns) return std::nullopt;
  std::map<std::string, std::vector<std::vector<Level>>> series;
  for (const model::Process* process : members) {
    auto levels = own_levels(context.world, *process, window, page_size);
    if (!levels.empty()) series[model::to_string(context.role(process->id))].push_back(std::move(levels));
  }
  GrowthTimeline timeline;
  timeline.length_ns = window.to_ns - window.from_ns;
  for (const auto& [role, levels] : series) {
    const std::vector<Level> sum = sum_of_levels(levels);
    RoleTimeline& row = timeline.roles.emplace_back();
    row.role = role;
    for (std::size_t i = 0; i < kMoments; ++i) {
      const double part = static_cast<double>(i) / (kMoments - 1);
      const auto offset = static_cast<std::uint64_t>(part * static_cast<double>(timeline.length_ns));
      row.held_bytes.push_back(level_at(sum, window.from_ns + std::min(offset, timeline.length_ns)));
    }
  }
  std::stable_sort(timeline.roles.begin(), timeline.roles.end(), [](const RoleTimeline& a, const RoleTimeline& b) {
    return a.held_bytes.back() > b.held_bytes.back();
  });
  return timeline;
}

}  // namespace oomtrace::analysis
