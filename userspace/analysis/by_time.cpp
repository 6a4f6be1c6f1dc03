// SPDX-License-Identifier: Apache-2.0
// Processes and incidents by time.
#include "analysis/by_time.h"

#include <algorithm>
#include <tuple>

#include "analysis/context.h"

namespace oomtrace::analysis {
namespace {

using Life = Spans<const model::Process*>::Span;

Life life_of(const model::Process& process) {
  Life life{process.first_seen_ns, process.exit_ns.value_or(UINT64_MAX), &process};
  if (process.memory.empty()) return life;
  life.first_ns = std::min(life.first_ns, process.memory.points().front().from_ns);
  life.last_ns = std::max(life.last_ns, process.memory.points().back().from_ns);
  return life;
}

template <class T>
std::vector<T> within(const std::vector<std::pair<std::uint64_t, T>>& timed, std::uint64_t from_ns,
                      std::uint64_t to_ns) {
  std::vector<T> found;
  const auto begin = std::lower_bound(timed.begin(), timed.end(), from_ns,
                                      [](const auto& one, std::uint64_t time) { return one.first < time; });
  for (auto one = begin; one != timed.end() && one->first <= to_ns; ++one) found.push_back(one->second);
  return found;
}

template <class T>
void sort_by_time(std::vector<std::pair<std::uint64_t, T>>& timed) {
  std::stable_sort(timed.begin(), timed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
}

}  // namespace

ProcessesByTime::ProcessesByTime(const model::World& world) : world_(world) {
  std::vector<std::vector<Life>> lives(world.boots().size());
  for (const auto& [id, process] : world.processes()) lives[process.boot].push_back(life_of(process));
  for (std::vector<Life>& one : lives) boots_.emplace_back(std::move(one));
}

std::vector<const model::Process*> ProcessesByTime::lived_in(std::size_t boot, std::uint64_t from_ns,
                                                             std::uint64_t to_ns) const {
  std::vector<const model::Process*> found;
  boots_[boot].touching(from_ns, to_ns, [&](const model::Process* process) { found.push_back(process); });
  std::sort(found.begin(), found.end(), [](const model::Process* a, const model::Process* b) { return a->id < b->id; });
  given_ += found.size();
  return found;
}

std::vector<const model::Process*> ProcessesByTime::children_in(const model::Process& parent, std::uint64_t from_ns,
                                                                std::uint64_t to_ns) const {
  std::vector<const model::Process*> found;
  if (parent.children.empty()) return found;
  auto lives = children_.find(parent.id);
  if (lives == children_.end()) {
    std::vector<Life> all;
    for (const model::ProcessId id : parent.children) {
      if (const model::Process* child = world_.find(id)) all.push_back(life_of(*child));
    }
    lives = children_.emplace(parent.id, Lives(std::move(all))).first;
  }
  lives->second.touching(from_ns, to_ns, [&](const model::Process* child) { found.push_back(child); });
  return found;
}

IncidentsByTime::IncidentsByTime(const model::World& world) : begun_(world.boots().size()), kills_(begun_.size()) {
  for (const model::Incident& incident : world.incidents()) {
    const std::size_t boot = boot_of(world, incident);
    begun_[boot].emplace_back(incident.boot_ns, &incident);
    for (const model::Kill& kill : incident.kills) {
      kills_[boot].emplace_back(kill.boot_ns, Killed{&incident, &kill});
      if (kill.already_dying) marked_.insert(kill.victim.id);
    }
  }
  for (auto& timed : begun_) sort_by_time(timed);
  for (auto& timed : kills_) sort_by_time(timed);
}

// Incidents, and the kills of each, lie in one vector: by address is by order.
std::vector<const model::Incident*> IncidentsByTime::begun_near(std::size_t boot, std::uint64_t at_ns,
                                                                std::uint64_t within_ns) const {
  auto found = within(begun_[boot], at_ns - std::min(at_ns, within_ns), at_ns + std::min(within_ns, ~at_ns));
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<IncidentsByTime::Killed> IncidentsByTime::kills_before(std::size_t boot, std::uint64_t at_ns,
                                                                   std::uint64_t within_ns) const {
  auto found = within(kills_[boot], at_ns - std::min(at_ns, within_ns), at_ns);
  std::sort(found.begin(), found.end(), [](const Killed& a, const Killed& b) {
    return std::tie(a.incident, a.kill) < std::tie(b.incident, b.kill);
  });
  return found;
}

}  // namespace oomtrace::analysis
