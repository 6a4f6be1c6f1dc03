// SPDX-License-Identifier: Apache-2.0
// Since when a domain has had figures of each role.
#include "analysis/first_figures.h"

#include <algorithm>

#include "model/lineage.h"

namespace oomtrace::analysis {
namespace {

using ByRole = FirstFigures::ByRole;

ByRole none() {
  ByRole firsts;
  firsts.fill(UINT64_MAX);
  return firsts;
}

void note(ByRole& firsts, model::Role role, std::uint64_t first_ns) {
  std::uint64_t& known = firsts[static_cast<std::size_t>(role)];
  known = std::min(known, first_ns);
}

void merge(ByRole& firsts, const ByRole& others) {
  for (std::size_t role = 0; role < firsts.size(); ++role) firsts[role] = std::min(firsts[role], others[role]);
}

}  // namespace

FirstFigures::FirstFigures(const model::World& world, const model::Roles& roles) : world_(world), roles_(roles) {
  for (const auto& [id, process] : world.processes()) {
    if (process.memory.empty() || model::shares_memory(process)) continue;
    const model::Role role = roles.of(id).role;
    const std::uint64_t first_ns = process.memory.points().front().from_ns;
    by_boot_[{process.boot, role}].push_back({first_ns, id});
    const auto note_in = [role, first_ns, boot = process.boot](auto& by_cgroup, const auto& key) {
      note(by_cgroup.try_emplace({boot, key}, none()).first->second, role, first_ns);
    };
    if (process.cgroup.id != 0) note_in(by_id_, process.cgroup.id);
    if (const std::string path = world.path_of(process.boot, process.cgroup); !path.empty()) note_in(by_path_, path);
  }
  for (auto& [key, sampled] : by_boot_) {
    std::stable_sort(sampled.begin(), sampled.end(),
                     [](const Sampled& a, const Sampled& b) { return a.first_ns < b.first_ns; });
  }
}

ByRole FirstFigures::of(const DomainMembers& domain) const {
  ByRole firsts = none();
  if (!domain.memcg()) {
    for (const auto& [key, sampled] : by_boot_) {
      if (key.first != domain.boot()) continue;
      const auto first = std::find_if(sampled.begin(), sampled.end(),
                                      [&](const Sampled& one) { return !domain.outside().contains(one.id); });
      if (first != sampled.end()) note(firsts, key.second, first->first_ns);
    }
    return firsts;
  }
  for (const model::ProcessId id : domain.weighed()) {
    const model::Process* process = world_.find(id);
    if (!process || process->memory.empty() || !domain.has(*process)) continue;
    note(firsts, roles_.of(id).role, process->memory.points().front().from_ns);
  }
  if (domain.cgroup_id() != 0) {
    const auto same = by_id_.find({domain.boot(), domain.cgroup_id()});
    if (same != by_id_.end()) merge(firsts, same->second);
  }
  const std::string& top = domain.path();
  if (top.empty()) return firsts;
  const auto same = by_path_.find({domain.boot(), top});
  if (same != by_path_.end()) merge(firsts, same->second);
  const std::string below = top == "/" ? std::string() : top + "/";
  for (auto path = by_path_.lower_bound({domain.boot(), below}); path != by_path_.end(); ++path) {
    if (path->first.first != domain.boot() || !path->first.second.starts_with(below)) break;
    merge(firsts, path->second);
  }
  return firsts;
}

}  // namespace oomtrace::analysis
