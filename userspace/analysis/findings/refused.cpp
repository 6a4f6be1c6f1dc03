// SPDX-License-Identifier: Apache-2.0
// How near to its limits a process was when it gave up. The request that was refused is not seen, only what had been
// granted before: a large one fails far below the limit.
#include "analysis/findings/refused.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr double kNear = 0.8, kHalf = 0.4;  // of the address space's limit that was used
constexpr double kCommitted = 0.9, kCommittedHalf = 0.6;
constexpr double kLikely = 0.75, kPossible = 0.45;
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 56;

std::int64_t bytes(std::uint64_t value) { return static_cast<std::int64_t>(std::min(value, kMostBytes)); }

std::int64_t widest_of(const model::Process& process) {
  std::uint64_t widest = 0;
  for (const auto& point : process.memory.points()) widest = std::max(widest, point.sample.counters.total_vm);
  return bytes(widest);
}

std::optional<Refusal> by_address_space(const model::Process& process, std::vector<Evidence>& evidence) {
  if (!process.address_space_limit) return std::nullopt;
  const std::int64_t limit = bytes(*process.address_space_limit), widest = widest_of(process);
  evidence.push_back({"limit of its address space (RLIMIT_AS)", static_cast<double>(limit), "bytes", "process.exit"});
  evidence.push_back({"address space at most", static_cast<double>(widest), "bytes", "process.memory"});
  const double part = limit > 0 ? static_cast<double>(widest) / static_cast<double>(limit) : 0;
  if (part < kHalf) return std::nullopt;
  return Refusal{fmt::format("its address space was limited to {} (RLIMIT_AS, ulimit -v) and had reached {}",
                             format_bytes(limit), format_bytes(widest)),
                 part >= kNear ? kLikely : kPossible, true};
}

std::optional<Refusal> by_overcommit(const Context& context, const Ending& ending, std::vector<Evidence>& evidence) {
  const std::size_t boot = ending.process->boot;
  const auto strict = [&](const model::Trace& trace) {
    return trace.boot == boot && trace.host.overcommit_memory == 2;
  };
  const auto& traces = context.world.traces();
  if (std::none_of(traces.begin(), traces.end(), strict)) return std::nullopt;
  const auto* point = context.world.boots()[boot].memory.at(ending.at_ns);
  if (!point || !point->sample.memory.committed || !point->sample.memory.commit_limit) return std::nullopt;
  const std::int64_t committed = bytes(*point->sample.memory.committed);
  const std::int64_t limit = bytes(*point->sample.memory.commit_limit);
  evidence.push_back({"Committed_AS", static_cast<double>(committed), "bytes", "system.memory"});
  evidence.push_back({"CommitLimit", static_cast<double>(limit), "bytes", "system.memory"});
  const double part = limit > 0 ? static_cast<double>(committed) / static_cast<double>(limit) : 0;
  if (part < kCommittedHalf) return std::nullopt;
  return Refusal{fmt::format("overcommit is strict (vm.overcommit_memory = 2) and {} of {} were committed",
                             format_bytes(committed), format_bytes(limit)),
                 part >= kCommitted ? kLikely : kPossible, false};
}

Remedy raise_address_space() {
  Remedy remedy;
  remedy.title = "Raise or remove the limit of the address space";
  remedy.command = "ulimit -v unlimited   # in the shell that starts the program; Slurm: --propagate=NONE";
  remedy.why =
      "Address space is not memory: torch and CUDA reserve far more than they use, so RLIMIT_AS refuses what the "
      "machine has room for.";
  remedy.risk = "Nothing bounds the program then: give it a memory cgroup (systemd-run --scope -p MemoryMax=...).";
  return remedy;
}

Remedy relax_overcommit() {
  Remedy remedy;
  remedy.title = "Let the kernel promise more than it can commit strictly";
  remedy.command = "sysctl vm.overcommit_memory=0   # or raise vm.overcommit_ratio, or add swap";
  remedy.why =
      "In mode 2 each fork of a trainer counts all of its private memory again, whether the worker writes to it or "
      "not: DataLoader workers are the first to be refused.";
  remedy.risk = "What is promised beyond the machine may end in an OOM kill instead of a MemoryError.";
  return remedy;
}

}  // namespace

std::optional<Refusal> refusal_of(const Context& context, const Ending& ending, std::vector<Evidence>& evidence) {
  auto address_space = by_address_space(*ending.process, evidence);
  auto overcommit = by_overcommit(context, ending, evidence);
  if (!address_space) return overcommit;
  return overcommit && overcommit->confidence > address_space->confidence ? overcommit : address_space;
}

Remedy remedy_of(const Refusal& refusal) { return refusal.address_space ? raise_address_space() : relax_overcommit(); }

}  // namespace oomtrace::analysis
