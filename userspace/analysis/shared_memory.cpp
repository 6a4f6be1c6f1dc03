// SPDX-License-Identifier: Apache-2.0
// Whose growth pages are that many processes map: shmem and file pages, counted once.
#include "analysis/shared_memory.h"

#include <algorithm>

#include "analysis/domain_members.h"
#include "model/lineage.h"

namespace oomtrace::analysis {
namespace {

constexpr std::uint64_t kFresh = 1'000'000'000;  // a sample this long before the kill still speaks of it
constexpr std::int64_t kWorthScaling = 1 << 20;

std::optional<std::int64_t> difference(const std::optional<std::uint64_t>& from,
                                       const std::optional<std::uint64_t>& to) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 60;
  if (!from || !to || *from > kMost || *to > kMost) return std::nullopt;
  return static_cast<std::int64_t>(*to) - static_cast<std::int64_t>(*from);
}

template <class Points, class Rise>
DomainRise rise_in(const Points& memory, const Window& window, Rise rise) {
  const auto* from = memory.at(window.from_ns);
  const auto* to = memory.at(window.to_ns);
  if (!from && !memory.points().empty()) from = &memory.points().front();
  if (!from || !to || to->until_ns + kFresh < window.to_ns || from->from_ns > window.from_ns + kFresh) return {};
  return rise(from->sample, to->sample);
}

std::vector<std::int64_t> scaled(std::vector<double> weights, double total) {
  double sum = 0;
  for (const double weight : weights) sum += weight;
  std::vector<std::int64_t> shares;
  shares.reserve(weights.size());
  for (const double weight : weights) {
    shares.push_back(sum > 0 ? static_cast<std::int64_t>(weight / sum * std::max(0.0, total)) : 0);
  }
  return shares;
}

// What each process of a family filled itself.
std::vector<double> filled(const Context& context, const std::vector<ProcessCharge>& charges) {
  std::map<model::ProcessId, std::size_t> index;
  for (std::size_t i = 0; i < charges.size(); ++i) index.emplace(charges[i].process->id, i);
  std::vector<double> own(charges.size());
  for (std::size_t i = 0; i < charges.size(); ++i) own[i] = static_cast<double>(charges[i].charged.shmem_added);
  const std::vector<double> added = own;
  struct Family {
    double children = 0;
    std::uint64_t first_half_ns = UINT64_MAX;
    std::vector<std::size_t> members;
  };
  std::map<std::size_t, Family> families;  // by the parent's place
  for (std::size_t i = 0; i < charges.size(); ++i) {
    const model::Process* parent = context.world.parent_of(*charges[i].process);
    // A fork server stands between a trainer and its workers and fills nothing.
    for (int level = 0;
         parent && level < model::kMaxAncestors && !index.contains(parent->id) && parent->parent != model::kNoProcess;
         ++level) {
      const model::Process* above = context.world.parent_of(*parent);
      if (above == parent || context.jobs.root_of(parent->id) != context.jobs.root_of(charges[i].process->id)) break;
      parent = above;
      if (parent && parent->id == charges[i].process->id) break;
    }
    const auto found = parent ? index.find(parent->id) : index.end();
    if (found == index.end() || added[i] <= 0) continue;
    if (context.jobs.root_of(parent->id) != context.jobs.root_of(charges[i].process->id)) continue;
    Family& family = families[found->second];
    family.children += added[i];
    family.first_half_ns = std::min(family.first_half_ns, charges[i].charged.shmem_half_ns);
    family.members.push_back(i);
  }
  for (const auto& [parent, family] : families) {
    if (added[parent] <= 0) continue;
    if (charges[parent].charged.shmem_half_ns >= family.first_half_ns) {
      own[parent] = std::max(0.0, own[parent] - family.children);
    } else {
      for (const std::size_t child : family.members) own[child] = std::max(0.0, own[child] - added[parent]);
    }
  }
  return own;
}

}  // namespace

DomainRise domain_rise(const model::World& world, const model::Incident& incident, const Window& window) {
  if (const model::Cgroup* cgroup = domain_cgroup(world, incident)) {
    return rise_in(cgroup->memory, window, [](const model::CgroupSample& from, const model::CgroupSample& to) {
      return DomainRise{difference(from.shmem, to.shmem), difference(from.file, to.file)};
    });
  }
  if (incident.decision.domain != DomainKind::kGlobal) return {};
  return rise_in(world.boots()[boot_of(world, incident)].memory, window,
                 [](const model::SystemSample& from, const model::SystemSample& to) {
                   return DomainRise{difference(from.memory.shmem, to.memory.shmem),
                                     difference(from.memory.cached, to.memory.cached)};
                 });
}

std::vector<std::int64_t> share_shmem(const Context& context, const std::vector<ProcessCharge>& charges,
                                      std::optional<std::int64_t> rise) {
  std::vector<double> weights = filled(context, charges);
  double sum = 0, least = 0;
  for (std::size_t i = 0; i < charges.size(); ++i) {
    sum += weights[i];
    if (!charges[i].charged.dead) least = std::max(least, static_cast<double>(charges[i].charged.shmem_now));
  }
  if (!rise) {
    // What the dead filled may be gone with them.
    for (std::size_t i = 0; i < charges.size(); ++i) {
      if (!charges[i].charged.dead) continue;
      sum -= weights[i];
      weights[i] = 0;
    }
    return scaled(weights, sum);
  }
  const double total = std::max(static_cast<double>(*rise), least);
  if (total <= sum) return scaled(weights, total);
  std::vector<double> training(weights.size());
  double training_sum = 0;
  for (std::size_t i = 0; i < charges.size(); ++i) {
    const bool other = context.role(charges[i].process->id) == model::Role::kOther;
    if (other || weights[i] < static_cast<double>(kWorthScaling)) continue;
    training[i] = weights[i];
    training_sum += weights[i];
  }
  std::vector<std::int64_t> shares(weights.begin(), weights.end());
  if (training_sum <= 0) return shares;
  const auto more = scaled(training, total - sum);
  for (std::size_t i = 0; i < shares.size(); ++i) shares[i] += more[i];
  return shares;
}

std::vector<std::int64_t> share_file(const std::vector<ProcessCharge>& charges, std::optional<std::int64_t> rise) {
  std::vector<double> weights(charges.size());
  double sum = 0, largest = 0;
  for (std::size_t i = 0; i < charges.size(); ++i) {
    if (charges[i].charged.dead) continue;
    weights[i] = static_cast<double>(std::max<std::int64_t>(0, charges[i].charged.file_now));
    sum += weights[i];
    largest = std::max(largest, weights[i]);
  }
  return scaled(weights, std::min(sum, rise ? static_cast<double>(*rise) : largest));
}

}  // namespace oomtrace::analysis
