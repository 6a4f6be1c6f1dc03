// SPDX-License-Identifier: Apache-2.0
// Copies held against what the domain was charged for.
#include "analysis/settle_copies.h"

#include <algorithm>
#include <optional>

#include "analysis/domain_members.h"

namespace oomtrace::analysis {
namespace {

constexpr double kNoise = 0.05;
constexpr std::uint64_t kMost = std::uint64_t{1} << 60;

// Old kernels print a cgroup's own figures, without those of the cgroups below: they do not add up to what it used.
bool is_whole(const model::CgroupSample& sample, const std::optional<std::uint64_t>& usage) {
  constexpr double kWhole = 0.9;
  const auto figure = [](const std::optional<std::uint64_t>& bytes) { return static_cast<double>(bytes.value_or(0)); };
  const double kernel = sample.kernel ? figure(sample.kernel) : figure(sample.slab) + figure(sample.page_tables);
  return usage && figure(sample.anon) + figure(sample.file) + kernel >= kWhole * static_cast<double>(*usage);
}

std::optional<double> charge_at_kill(const model::World& world, const model::Incident& incident) {
  const std::string path = world.path_of(boot_of(world, incident), incident.decision.cgroup);
  for (const model::CgroupAtKill& told : incident.cgroups) {
    if (told.cgroup.path != path || !told.sample.anon || !is_whole(told.sample, incident.decision.usage)) continue;
    return static_cast<double>(std::min(*told.sample.anon, kMost));
  }
  return std::nullopt;
}

// The sample in force is older than the moment: what rose in between makes the correction smaller, never too large.
std::optional<double> charge_before(const model::World& world, const model::Incident& incident, std::uint64_t at_ns) {
  const model::Cgroup* cgroup = domain_cgroup(world, incident);
  const auto* point = cgroup != nullptr ? cgroup->memory.at(at_ns) : nullptr;
  if (point == nullptr || !point->sample.anon) return std::nullopt;
  return static_cast<double>(std::min(*point->sample.anon, kMost));
}

}  // namespace

void settle_copies(const model::World& world, const model::Incident& incident, const Window& window,
                   std::vector<ProcessCharge>& charges) {
  const auto to = charge_at_kill(world, incident);
  const auto from = charge_before(world, incident, window.from_ns);
  if (!to || !from) return;
  double fresh = 0, copied = 0;
  for (const ProcessCharge& charge : charges) {
    fresh += static_cast<double>(charge.charged.fresh_anon);
    copied += static_cast<double>(charge.charged.copied);
  }
  const double excess = fresh + copied - (*to - *from);
  if (copied <= 0 || excess <= kNoise * copied) return;
  const double part = std::max(0.0, 1.0 - excess / copied);
  for (ProcessCharge& charge : charges)
    charge.charged.copied = static_cast<std::int64_t>(part * static_cast<double>(charge.charged.copied));
}

}  // namespace oomtrace::analysis
