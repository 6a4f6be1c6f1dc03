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

std::vector<Level> own_levels(const Context& context, const model::Process& process, const Window& window,
                              std::uint32_t page_size) {
  std::vector<Level> levels;
  const auto& points = process.memory.points();
  const std::vector<std::int64_t>& own = context.held.of(process, page_size).private_bytes;
  for (std::size_t i = 0; i < points.size() && points[i].from_ns <= window.to_ns; ++i)
    levels.push_back({points[i].from_ns, own[i]});
  // What was there before the trace was there from its start on.
  if (!levels.empty() && process.origin == model::Origin::kSeen && process.start_boot_ns <= window.from_ns)
    levels.front().at_ns = std::min(levels.front().at_ns, window.from_ns);
  if (!levels.empty() && process.exit_ns && *process.exit_ns <= window.to_ns)
    levels.push_back({std::max(*process.exit_ns, levels.back().at_ns), 0});
  return levels;
}

}  // namespace

std::optional<GrowthTimeline> growth_timeline(const Context& context, const DomainMembers& members,
                                              const Window& window, std::uint32_t page_size) {
  if (window.to_ns <= window.from_ns) return std::nullopt;
  std::map<std::string, std::vector<std::vector<Level>>> series;
  // Roles of those who died before the window have a row, too.
  const FirstFigures::ByRole firsts = context.first_figures.of(members);
  for (std::size_t role = 0; role < firsts.size(); ++role) {
    if (firsts[role] <= window.to_ns) series.try_emplace(model::to_string(static_cast<model::Role>(role)));
  }
  for (const model::Process* process :
       members.of(context.processes.lived_in(members.boot(), window.from_ns, window.to_ns))) {
    auto levels = own_levels(context, *process, window, page_size);
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
