// SPDX-License-Identifier: Apache-2.0
// What older kernels took off the points of root's processes.
#include "analysis/root_bonus.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "analysis/context.h"

namespace oomtrace::analysis {
namespace {

using Version = std::pair<int, int>;

// "3.10.0-957.el7.x86_64" -> {3, 10}.
std::optional<Version> version_of(std::string_view release) {
  Version version;
  const char* end = release.data() + release.size();
  auto [rest, error] = std::from_chars(release.data(), end, version.first);
  if (error != std::errc() || rest == end || *rest != '.') return std::nullopt;
  if (std::from_chars(rest + 1, end, version.second).ec != std::errc()) return std::nullopt;
  return version;
}

std::int64_t bonus_of(const Weighed& row, Version version, std::uint64_t total_pages) {
  if (version < Version{3, 14}) return -adj_points(-30, total_pages);
  return row.base().value_or(0) * 3 / 100;
}

// Thousandths of all pages, at least one point, as those kernels print it.
bool prints(const Weighed& row, std::int64_t discount, std::uint64_t total_pages, std::uint64_t score) {
  Weighed tried = row;
  tried.discount = discount;
  const auto points = points_of(tried, total_pages);
  return points && static_cast<std::uint64_t>(std::max<std::int64_t>(*points, 1)) * 1000 / total_pages == score;
}

}  // namespace

void take_off_root_bonus(const model::World& world, const model::Incident& incident, WeighedTable& table) {
  const auto version = version_of(host_of(world, incident).kernel_release);
  if (!version || *version < Version{3, 5} || *version >= Version{4, 17} || !table.total_pages ||
      *table.total_pages == 0)
    return;
  const std::uint64_t total = *table.total_pages;
  const model::Kill* chosen = chosen_kill(incident);
  const bool containers = incident.decision.domain == DomainKind::kMemcg;
  for (Weighed& row : table.rows) {
    if (!row.base() || !row.oom_score_adj || row.excluded != Excluded::kNot) continue;
    const std::int64_t bonus = bonus_of(row, *version, total);
    const bool is_chosen = chosen && (chosen->sacrificed_for_pid ? row.process.pid == *chosen->sacrificed_for_pid
                                                                 : row.process.id == chosen->victim.id);
    if (is_chosen && chosen->score) {
      if (!prints(row, 0, total, *chosen->score) && prints(row, bonus, total, *chosen->score)) row.discount = bonus;
    } else if (row.uid == 0U && !containers) {
      row.discount = bonus;
    }
  }
}

}  // namespace oomtrace::analysis
