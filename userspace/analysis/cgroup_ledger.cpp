// SPDX-License-Identifier: Apache-2.0
// The cgroups that a domain's memory was charged to.
#include "analysis/cgroup_ledger.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/domain_members.h"

namespace oomtrace::analysis {
namespace {

constexpr std::size_t kMost = 100;
// All are told within this of each other, once a second: who is not among the last told is gone.
constexpr std::uint64_t kOneRoundNs = 500'000'000;
constexpr std::uint64_t kStaleNs = 3'000'000'000;

using Point = model::Timeline<model::CgroupSample>::Point;
// By path: what lies below a cgroup follows it.
using Charges = std::map<std::string_view, const Point*>;

// Before the kill: what is told at it may be of after it.
const Point* told_before(const model::Cgroup& cgroup, std::uint64_t at_ns) {
  const auto* point = at_ns == 0 ? nullptr : cgroup.memory.at(at_ns - 1);
  return point && point->sample.usage && point->until_ns + kStaleNs >= at_ns ? point : nullptr;
}

std::uint64_t last_told(const Point& point, std::uint64_t at_ns) { return std::min(point.until_ns, at_ns); }

Charges told_near(const model::World& world, const model::Incident& incident, std::string_view top) {
  Charges charges;
  std::uint64_t newest_ns = 0;
  for (const model::Cgroup* cgroup : world.cgroups(boot_of(world, incident))) {
    const Point* point = told_before(*cgroup, incident.boot_ns);
    if (point == nullptr) continue;
    newest_ns = std::max(newest_ns, last_told(*point, incident.boot_ns));
    if (cgroup->name.path == "/" || !within_cgroup(cgroup->name.path, top)) continue;
    // Two of one name were there one after the other.
    const auto [found, made] = charges.emplace(cgroup->name.path, point);
    if (!made && point->from_ns > found->second->from_ns) found->second = point;
  }
  std::erase_if(charges, [&](const auto& charge) {
    return last_told(*charge.second, incident.boot_ns) + kOneRoundNs < newest_ns;
  });
  return charges;
}

// The nearest one above that is listed; nullptr if none is.
CgroupCharge* above(std::map<std::string_view, CgroupCharge>& listed, std::string_view path) {
  while (true) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos || slash == 0) return nullptr;
    path = path.substr(0, slash);
    if (const auto found = listed.find(path); found != listed.end()) return &found->second;
  }
}

}  // namespace

void fill_cgroups(const model::World& world, const model::Incident& incident, Domain& domain) {
  // A log tells of a cgroup when it ran out itself, and not what became of it.
  if (host_of(world, incident).source == "kernel_log") return;
  std::string top = "/";
  if (incident.decision.domain == DomainKind::kMemcg)
    top = world.path_of(boot_of(world, incident), incident.decision.cgroup);
  else if (incident.decision.domain != DomainKind::kGlobal && incident.decision.domain != DomainKind::kSysrq)
    return;
  const Charges charges = told_near(world, incident, top);
  if (charges.empty() || (charges.size() == 1 && charges.begin()->first == top)) return;
  std::uint64_t told_ns = 0;
  std::map<std::string_view, CgroupCharge> listed;
  for (const auto& [path, point] : charges) {
    told_ns = std::max(told_ns, last_told(*point, incident.boot_ns));
    listed.emplace(path, CgroupCharge{std::string(path), *point->sample.usage, point->sample.limit});
  }
  for (const auto& [path, point] : charges) {
    // Version 1 need not charge a cgroup above.
    if (CgroupCharge* holder = above(listed, path)) holder->bytes -= std::min(holder->bytes, *point->sample.usage);
  }
  std::vector<CgroupCharge> sorted;
  std::uint64_t sum = 0;
  for (auto& [path, charge] : listed) {
    sum += std::min(charge.bytes, UINT64_MAX - sum);
    sorted.push_back(std::move(charge));
  }
  if (domain.usage_bytes && sum > *domain.usage_bytes) return;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const CgroupCharge& a, const CgroupCharge& b) { return a.bytes > b.bytes; });
  if (sorted.size() > kMost) sorted.resize(kMost);
  domain.cgroups = std::move(sorted);
  domain.cgroups_age_ns = incident.boot_ns - told_ns;
}

}  // namespace oomtrace::analysis
