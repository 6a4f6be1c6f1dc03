// SPDX-License-Identifier: Apache-2.0
// How processes ended: which ends are worth telling.
#include "analysis/verdicts.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "analysis/command_family.h"
#include "analysis/ending.h"
#include "analysis/time_order.h"

namespace oomtrace::analysis {
namespace {

using model::Process;
using model::ProcessId;

constexpr std::int64_t kLarge = 64 << 20;  // a process of this size is worth a word whatever it is
constexpr std::size_t kMostQuiet = 200;

bool was_large(const Process& process) {
  const auto& points = process.memory.points();
  return std::any_of(points.begin(), points.end(), [](const auto& point) { return point.sample.high_rss >= kLarge; });
}

bool worth_telling(const Context& context, const std::set<ProcessId>& family, const Ending& ending) {
  const std::string& verdict = ending.death.verdict;
  const model::Role role = context.role(ending.process->id);
  const bool trains = context.role(context.units.of(ending.process->id)) == model::Role::kTrainer;
  const bool training = role == model::Role::kWorker ? trains : role != model::Role::kOther;
  if (training || family.contains(ending.process->id)) return true;
  if (verdict == "exit_ok") return false;
  const bool sure = ending.oom || verdict == "oom_daemon" || verdict == "crash_signal" ||
                    (verdict == "sigkill" && ending.death.signal == 9);
  return sure || ending.death.because_of_pid || was_large(*ending.process);
}

}  // namespace

std::vector<Death> find_deaths(const Context& context, const Endings& endings) {
  const std::set<ProcessId> family = command_family(context.world);
  std::vector<const Ending*> told;
  for (const auto& [id, ending] : endings) {
    if (worth_telling(context, family, ending)) told.push_back(&ending);
  }
  const auto place = [&](const Ending* ending) {
    return std::tuple(order_of(context.world, ending->process->boot, ending->at_ns), ending->at_ns,
                      ending->process->id);
  };
  const auto by_time = [&](const Ending* a, const Ending* b) { return place(a) < place(b); };
  std::sort(told.begin(), told.end(), by_time);
  // Of the quiet ones the latest stay; of the others the OOM killer's before the rest.
  const auto weight = [](const Ending* ending) {
    return ending->oom ? 3 : ending->violent ? 2 : ending->death.verdict == "exit_error" ? 1 : 0;
  };
  std::size_t quiet = 0, kept = 0;
  std::vector<const Ending*> chosen;
  for (const int wanted : {3, 2, 1, 0}) {
    for (auto ending = told.rbegin(); ending != told.rend() && kept < kMostDeaths; ++ending) {
      if (weight(*ending) != wanted || (wanted == 0 && ++quiet > kMostQuiet)) continue;
      chosen.push_back(*ending);
      ++kept;
    }
  }
  std::sort(chosen.begin(), chosen.end(), by_time);
  std::vector<Death> deaths;
  deaths.reserve(chosen.size());
  for (const Ending* ending : chosen) {
    Death death = ending->death;
    death.time = time_at(context.world, ending->process->boot, ending->at_ns);
    deaths.push_back(std::move(death));
  }
  return deaths;
}

}  // namespace oomtrace::analysis
