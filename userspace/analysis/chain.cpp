// SPDX-License-Identifier: Apache-2.0
// Which end followed from which: a trainer gives up after its worker's death, workers leave after their parent's,
// a launcher kills the other ranks.
#include <algorithm>
#include <optional>

#include "analysis/ending.h"
#include "model/role_signs.h"

namespace oomtrace::analysis {
namespace {

using model::Process;
using model::ProcessId;

constexpr std::uint64_t kSecond = 1'000'000'000;
// A trainer notices a lost worker within its queue's time-out of 5 s; printing and unwinding take their time.
constexpr std::uint64_t kGivesUp = 30 * kSecond;
// Workers ask for their parent every 5 s (torch's ManagerWatchdog) and then finish what they do.
constexpr std::uint64_t kLeaves = 15 * kSecond;
// A launcher polls its ranks, sends SIGTERM, and SIGKILL 30 s later.
constexpr std::uint64_t kCleansUp = 90 * kSecond;

const Ending* find(const Endings& endings, ProcessId id) {
  const auto found = endings.find(id);
  return found == endings.end() ? nullptr : &found->second;
}

bool before(const Ending& first, const Ending& then, std::uint64_t within) {
  return first.at_ns <= then.at_ns && then.at_ns - first.at_ns <= within;
}

// What a parent would rather react to.
int rank(const Ending& ending) {
  if (ending.oom) return ending.death.because_of_pid ? 2 : 3;
  return ending.violent ? 1 : 0;
}

// What a shell reports of the command that it ran last.
std::optional<std::int32_t> shell_code(const Ending& ending) {
  if (ending.death.signal) return 128 + *ending.death.signal;
  return ending.death.exit_code;
}

bool failed(const Ending& ending) { return ending.violent || ending.death.verdict == "exit_error"; }

// The child whose death a parent's end followed: an OOM victim before any other, one that was chosen before those that
// went with it, then the earliest.
const Ending* lost_child(const Context& context, const Endings& endings, const Process& parent, const Ending& then,
                         std::uint64_t within, ProcessId other_than) {
  const Ending* best = nullptr;
  const auto look = [&](ProcessId id) {
    const Ending* child = find(endings, id);
    if (!child || id == other_than || !failed(*child) || !before(*child, then, within)) return;
    // A shell hands on how its command ended; that another one failed on the way is part of many a script.
    if (model::is_shell(parent) && then.death.exit_code && shell_code(*child) != then.death.exit_code) return;
    // One that its own parent ended is no reason for the parent.
    if (child->death.sender && child->death.sender->pid == parent.pid) return;
    if (!best || rank(*child) > rank(*best) || (rank(*child) == rank(*best) && child->at_ns < best->at_ns))
      best = child;
  };
  // The latest ones: a parent may have had any number.
  constexpr std::ptrdiff_t kLooked = 512;
  const std::vector<ProcessId>& children = parent.children;
  const auto first = children.end() - std::min<std::ptrdiff_t>(kLooked, std::ssize(children));
  for (auto place = first; place != children.end(); ++place) {
    const ProcessId id = *place;
    look(id);
    // Workers of a fork server are its children and the trainer's concern.
    const Process* child = context.world.find(id);
    if (!child || child->children.empty()) continue;
    if (context.jobs.root_of(id) != context.jobs.root_of(parent.id)) continue;
    if (context.role(id) == model::Role::kTrainer) continue;
    const std::vector<ProcessId>& below = child->children;
    for (auto grandchild = below.end() - std::min<std::ptrdiff_t>(kLooked, std::ssize(below));
         grandchild != below.end(); ++grandchild) {
      look(*grandchild);
    }
  }
  return best;
}

// Who sent the signal is an ancestor that had lost another child before.
const Ending* killed_by_ancestor(const Context& context, const Endings& endings, const Ending& ending) {
  if (!ending.death.sender) return nullptr;
  const Process* above = context.world.parent_of(*ending.process);
  for (int level = 0; above && level < 4; ++level, above = context.world.parent_of(*above)) {
    if (above->pid != ending.death.sender->pid) continue;
    return lost_child(context, endings, *above, ending, kCleansUp, ending.process->id);
  }
  return nullptr;
}

const Ending* cause_of(const Context& context, const Endings& endings, const Ending& ending) {
  const Process& process = *ending.process;
  const std::string& verdict = ending.death.verdict;
  if (ending.oom || verdict == "oom_daemon") return nullptr;
  if (ending.violent) {
    if (const Ending* other = killed_by_ancestor(context, endings, ending)) return other;
  }
  const bool gave_up = verdict == "exit_error" || (verdict == "crash_signal" && ending.death.signal == 6);
  if (gave_up) {
    if (const Ending* child = lost_child(context, endings, process, ending, kGivesUp, process.id)) return child;
  }
  // Leaving after the parent, of its own will or by a parent-death signal.
  const Process* parent = context.world.parent_of(process);
  for (int level = 0; parent && level < 2; ++level, parent = context.world.parent_of(*parent)) {
    const Ending* above = find(endings, parent->id);
    if (above && failed(*above) && above->at_ns < ending.at_ns && before(*above, ending, kLeaves)) return above;
    if (above && failed(*above)) break;
  }
  return nullptr;
}

}  // namespace

void chain(const Context& context, Endings& endings) {
  for (auto& [id, ending] : endings) {
    if (ending.death.because_of_pid) continue;
    const Ending* cause = cause_of(context, endings, ending);
    if (!cause) continue;
    ending.death.because_of_pid = cause->process->pid;
    ending.because_of = cause->process->id;
  }
}

}  // namespace oomtrace::analysis
