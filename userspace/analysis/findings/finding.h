// SPDX-License-Identifier: Apache-2.0
// What is found where nothing was OOM-killed: the form of every finding, and the list of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "analysis/ending.h"
#include "oomtrace/report.h"

namespace oomtrace::analysis {

// What a finding may look at: all ends with what they followed from, and who belongs to the recorded command.
struct Aftermath {
  Aftermath(const Context& replayed, const Endings& judged);

  const Context& context;
  const Endings& endings;
  std::set<model::ProcessId> family;  // of the recorded command; empty without one
  // Those who ended because of another, by order of first sight.
  std::map<model::ProcessId, std::vector<const Ending*>> followed;

  // A training process, or one of the recorded command.
  bool concerns(const model::Process& process) const;
  // Ends that nothing else explains, by time: of whom it concerns, and of large processes. No OOM victims, none of
  // their units, and nobody who ended because of another.
  std::vector<const Ending*> roots() const;
  // How many ended because of one end, or because of those that did.
  std::size_t followers(const Ending& root) const;
  // The sender of the signal is among the process's ancestors: it puts its own affairs in order.
  bool by_ancestor(const Ending& ending) const;
};

// Pure. Nothing where the pattern is not there.
using Finder = void (*)(const Aftermath&, std::vector<Diagnosis>&);

std::span<const Finder> finders();

// Surest first; at least one where nothing was OOM-killed and somebody watched.
std::vector<Diagnosis> find_diagnoses(const Context& context, const Endings& endings);

void find_bus_errors(const Aftermath& aftermath, std::vector<Diagnosis>& found);
void find_killed(const Aftermath& aftermath, std::vector<Diagnosis>& found);
void find_own_exits(const Aftermath& aftermath, std::vector<Diagnosis>& found);
void find_orphans(const Aftermath& aftermath, std::vector<Diagnosis>& found);
// That nothing was killed, and what the run came to: where no other finding tells of an end.
void find_no_kill(const Aftermath& aftermath, std::vector<Diagnosis>& found);

// The largest that a process is known to have been, bytes of anonymous memory, shmem and swap.
std::int64_t peak_of(const model::Process& process);

// "; 3 others ended because of it"; empty where nobody did.
std::string followers_text(std::size_t count);
// "SIGTERM", "signal 42".
std::string signal_name(std::int32_t number);

}  // namespace oomtrace::analysis
