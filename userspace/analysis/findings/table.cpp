// SPDX-License-Identifier: Apache-2.0
// The list of findings, and what they look at.
#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "analysis/command_family.h"
#include "analysis/findings/finding.h"
#include "analysis/time_order.h"

namespace oomtrace::analysis {
namespace {

// The last one looks at what the others found.
constexpr std::array kFinders = {find_bus_errors, find_killed, find_own_exits, find_orphans, find_no_kill};
constexpr std::int64_t kLarge = 64 << 20;
constexpr std::size_t kMost = 8;
constexpr int kLevels = 8;  // ancestors looked at, steps of a chain

}  // namespace

std::span<const Finder> finders() { return kFinders; }

Aftermath::Aftermath(const Context& replayed, const Endings& judged)
    : context(replayed), endings(judged), family(command_family(replayed.world)) {
  for (const auto& [id, ending] : endings) {
    if (ending.because_of != model::kNoProcess) followed[ending.because_of].push_back(&ending);
  }
}

bool Aftermath::concerns(const model::Process& process) const {
  const model::Role role = context.role(process.id);
  if (role == model::Role::kTrainer || role == model::Role::kDataloaderWorker) return true;
  if (role == model::Role::kWorker && context.role(context.units.of(process.id)) == model::Role::kTrainer) return true;
  return family.contains(process.id);
}

std::vector<const Ending*> Aftermath::roots() const {
  std::set<model::ProcessId> killed;  // units that the OOM killer was in
  for (const auto& [id, ending] : endings) {
    if (ending.oom) killed.insert(context.units.of(id));
  }
  std::vector<const Ending*> found;
  for (const auto& [id, ending] : endings) {
    if (ending.oom || ending.death.because_of_pid || killed.contains(context.units.of(id))) continue;
    if (concerns(*ending.process) || peak_of(*ending.process) >= kLarge) found.push_back(&ending);
  }
  const auto place = [&](const Ending* ending) {
    return std::tuple(order_of(context.world, ending->process->boot, ending->at_ns), ending->at_ns);
  };
  std::stable_sort(found.begin(), found.end(), [&](const Ending* a, const Ending* b) { return place(a) < place(b); });
  return found;
}

// In rounds over all ends by order of first sight, so that in a round a chain goes on to those first seen later only.
std::size_t Aftermath::followers(const Ending& root) const {
  using Reached = std::pair<int, model::ProcessId>;  // round, who
  std::set<Reached> next{{0, root.process->id}};
  std::set<model::ProcessId> chain;
  while (!next.empty()) {
    const auto [round, who] = *next.begin();
    next.erase(next.begin());
    if (!chain.insert(who).second) continue;
    const auto found = followed.find(who);
    if (found == followed.end()) continue;
    for (const Ending* ending : found->second) {
      const bool first_of_all = who == root.process->id;
      const int reached = first_of_all || ending->process->id > who ? round : round + 1;
      if (ending->at_ns >= root.at_ns && reached < kLevels) next.emplace(reached, ending->process->id);
    }
  }
  return chain.size() - 1;
}

bool Aftermath::by_ancestor(const Ending& ending) const {
  if (ending.sender == model::kNoProcess) return false;
  const model::Process* above = context.world.parent_of(*ending.process);
  for (int level = 0; above && level < kLevels; ++level, above = context.world.parent_of(*above)) {
    if (above->id == ending.sender) return true;
  }
  return false;
}

std::int64_t peak_of(const model::Process& process) {
  std::int64_t peak = 0;
  for (const auto& point : process.memory.points()) {
    const MemoryCounters& counters = point.sample.counters;
    const auto sane = [](std::int64_t bytes) { return std::clamp<std::int64_t>(bytes, 0, std::int64_t{1} << 52); };
    peak = std::max(peak, sane(counters.anon) + sane(counters.shmem) + sane(counters.swap));
  }
  return peak;
}

std::string followers_text(std::size_t count) {
  if (count == 0) return "";
  return fmt::format("; {} other{} ended because of it", count, count == 1 ? "" : "s");
}

std::string signal_name(std::int32_t number) {
  const char* name = sigabbrev_np(number);  // string.h, glibc 2.32
  return name ? fmt::format("SIG{}", name) : fmt::format("signal {}", number);
}

std::vector<Diagnosis> find_diagnoses(const Context& context, const Endings& endings) {
  std::vector<Diagnosis> found;
  const Aftermath aftermath(context, endings);
  for (const Finder find : finders()) find(aftermath, found);
  std::stable_sort(found.begin(), found.end(),
                   [](const Diagnosis& a, const Diagnosis& b) { return a.cause.confidence > b.cause.confidence; });
  if (found.size() > kMost) found.resize(kMost);
  return found;
}

}  // namespace oomtrace::analysis
