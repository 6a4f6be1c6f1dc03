// SPDX-License-Identifier: Apache-2.0
// Copies held against what the domain was charged for.
#include "analysis/settle_copies.h"

#include <algorithm>
#include <map>
#include <optional>

#include "analysis/domain_ledger.h"

namespace oomtrace::analysis {
namespace {

constexpr double kNoise = 0.05;
constexpr std::uint64_t kMost = std::uint64_t{1} << 60;

double figure(const std::optional<std::uint64_t>& bytes) {
  return static_cast<double>(std::min(bytes.value_or(0), kMost));
}

double in_its_lines(const model::CgroupSample& sample) {
  const double kernel = sample.kernel ? figure(sample.kernel) : figure(sample.slab) + figure(sample.page_tables);
  return figure(sample.anon) + figure(sample.file) + kernel;
}

// The most that it can be: what was used and is in no line yet may be anonymous as well.
std::optional<double> charge_at_kill(const model::World& world, const model::Incident& incident) {
  // Old kernels print a cgroup's own figures, without those of the cgroups below: they do not add up to what it used.
  constexpr double kWhole = 0.9;
  const std::string path = world.path_of(boot_of(world, incident), incident.decision.cgroup);
  const auto& usage = incident.decision.usage;
  for (const model::CgroupAtKill& told : incident.cgroups) {
    if (told.cgroup.path != path || !told.sample.anon || !usage) continue;
    const double missing = figure(usage) - in_its_lines(told.sample);
    if (missing > (1 - kWhole) * figure(usage)) continue;
    return figure(told.sample.anon) + std::max(0.0, missing);
  }
  return std::nullopt;
}

struct ChargeBefore {
  std::uint64_t told_ns = 0, at_ns = 0;
  double bytes = 0;
};

// By the last two samples of the window's start and the next one: each at the last moment for which it is known to
// hold, when the figures of the processes are as new as the sample's.
std::vector<ChargeBefore> charges_before(const model::World& world, const model::Incident& incident,
                                         std::uint64_t from_ns) {
  constexpr std::size_t kBefore = 2;
  std::vector<ChargeBefore> found;
  const model::Cgroup* cgroup = domain_cgroup(world, incident);
  if (cgroup == nullptr) return found;
  for (const auto& point : cgroup->memory.points()) {
    const std::uint64_t at_ns = std::max(point.from_ns + kCensusFollowsNs, std::min(point.until_ns, from_ns));
    if (at_ns >= incident.boot_ns) break;
    if (point.from_ns <= from_ns && found.size() == kBefore) found.erase(found.begin());
    if (point.sample.anon) found.push_back({point.from_ns, at_ns, figure(point.sample.anon)});
    if (point.from_ns > from_ns) break;
  }
  return found;
}

// What looks like copies since a sample.
struct Since {
  std::map<const model::Process*, std::int64_t> copied;
  double copied_by_all = 0;
  double fresh = 0;
  double excess = 0;  // beyond what the cgroup was charged for

  double all() const { return copied_by_all + fresh; }
};

}  // namespace

void settle_copies(const Context& context, const model::Incident& incident, const DomainMembers& members,
                   const Window& window, std::uint32_t page_size, std::vector<ProcessCharge>& charges) {
  const auto to = charge_at_kill(context.world, incident);
  if (!to) return;
  const auto since_ns = [&](std::uint64_t at_ns) {
    Since since;
    for (const model::Process* process : members.of(context.processes.lived_in(members.boot(), at_ns, window.to_ns))) {
      const Charged charged = charged_in(context, *process, {at_ns, window.to_ns}, page_size);
      since.copied[process] = charged.copied;
      since.copied_by_all += static_cast<double>(charged.copied);
      since.fresh += static_cast<double>(charged.fresh_anon);
    }
    return since;
  };
  Since most;
  for (const ChargeBefore& from : charges_before(context.world, incident, window.from_ns)) {
    Since since = since_ns(from.at_ns);
    since.excess = since.all() - (*to - from.bytes);
    // What they did about the time of the sample may be told too late for it, and look like copies then.
    if (since.excess > kNoise * since.copied_by_all) {
      const double after = since_ns(std::min(from.told_ns + 2 * kCensusFollowsNs, window.to_ns)).all();
      since.excess -= std::max(0.0, since_ns(from.told_ns).all() - after);
    }
    if (since.excess > most.excess) most = std::move(since);
  }
  if (most.copied_by_all <= 0 || most.excess <= kNoise * most.copied_by_all) return;
  const double none = std::min(1.0, most.excess / most.copied_by_all);  // the part of them that is none
  for (ProcessCharge& charge : charges) {
    std::int64_t& told = charge.charged.copied;
    told -= static_cast<std::int64_t>(none * static_cast<double>(std::min(told, most.copied[charge.process])));
  }
}

}  // namespace oomtrace::analysis
