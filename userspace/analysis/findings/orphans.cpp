// SPDX-License-Identifier: Apache-2.0
// Workers that outlive their trainer and keep its memory: torch's own leave within seconds, others may stay for ever.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "analysis/envelope.h"
#include "analysis/findings/finding.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kLeaves = 10 * kSecond;  // torch's workers look for their parent every 5 s
constexpr std::int64_t kLeast = 16 << 20;

struct Orphans {
  const model::Process* trainer = nullptr;
  std::vector<const model::Process*> workers;
  std::int64_t held = 0;  // resident anonymous memory and shmem, shared pages for each
  std::uint64_t longest = 0;
};

}  // namespace

void find_orphans(const Aftermath& aftermath, std::vector<Diagnosis>& found) {
  const model::World& world = aftermath.context.world;
  std::map<model::ProcessId, Orphans> by_trainer;
  for (const auto& [id, process] : world.processes()) {
    const model::ProcessId unit = aftermath.context.units.of(id);
    if (unit == id || !process.alive()) continue;
    const model::Role role = aftermath.context.role(id);
    if (role != model::Role::kDataloaderWorker && role != model::Role::kWorker) continue;
    const model::Process* trainer = world.find(unit);
    if (!trainer || !trainer->exit_ns || aftermath.context.role(unit) != model::Role::kTrainer) continue;
    std::uint64_t last_ns = 0;
    for (const model::Trace& trace : world.traces()) {
      if (trace.boot == process.boot) last_ns = std::max(last_ns, trace.last_boot_ns);
    }
    if (last_ns < *trainer->exit_ns + kLeaves) continue;
    const auto* last = process.memory.last();
    const auto sane = [](std::int64_t bytes) { return std::clamp<std::int64_t>(bytes, 0, std::int64_t{1} << 52); };
    const std::int64_t held = last ? sane(last->sample.counters.anon) + sane(last->sample.counters.shmem) : 0;
    if (held < kLeast || held > (std::int64_t{1} << 52)) continue;
    Orphans& orphans = by_trainer[unit];
    orphans.trainer = trainer;
    orphans.workers.push_back(&process);
    orphans.held = std::min(orphans.held + held, std::int64_t{1} << 56);
    orphans.longest = std::max(orphans.longest, last_ns - *trainer->exit_ns);
  }
  for (const auto& [unit, orphans] : by_trainer) {
    Diagnosis diagnosis;
    Cause& cause = diagnosis.cause;
    cause.kind = "orphaned_workers";
    cause.confidence = 0.85;
    cause.summary = fmt::format("{} worker{} of {} outlived it by {} and hold up to {}.", orphans.workers.size(),
                                orphans.workers.size() == 1 ? "" : "s", named(*orphans.trainer),
                                format_duration(orphans.longest), format_bytes(orphans.held));
    cause.evidence = {
        {"workers without their trainer", static_cast<double>(orphans.workers.size()), "processes", "process.exit"},
        {"held by them, shared pages for each", static_cast<double>(orphans.held), "bytes", "process.memory"},
        {"since the trainer's end", static_cast<double>(orphans.longest), "ns", "process.exit"}};
    Remedy remedy;
    remedy.title = "End them";
    std::string pids;
    for (std::size_t i = 0; i < std::min<std::size_t>(orphans.workers.size(), 16); ++i) {
      pids += " " + std::to_string(orphans.workers[i]->pid);
    }
    remedy.command = "kill" + pids;
    remedy.why = "Nobody reads their batches any more, and the next run finds that much less memory.";
    remedy.risk = "Look that the pids are still theirs: ps -o pid,ppid,etime,rss,args -p PID.";
    diagnosis.remedies.push_back(std::move(remedy));
    found.push_back(std::move(diagnosis));
  }
}

}  // namespace oomtrace::analysis
