// SPDX-License-Identifier: Apache-2.0
// The verdict on one end: from the kill, the fatal signal and the exit status.
#include <algorithm>
#include <array>
#include <string_view>

#include "analysis/ending.h"

namespace oomtrace::analysis {
namespace {

using model::Process;
using model::SignalSeen;

constexpr std::int32_t kSigKill = 9, kSigTerm = 15, kSigBus = 7;

bool is_oom_daemon(std::string_view comm) {
  constexpr std::array<std::string_view, 5> kDaemons = {"systemd-oomd", "earlyoom", "nohang", "oomd", "kubelet"};
  return std::find(kDaemons.begin(), kDaemons.end(), comm) != kDaemons.end();
}

// Signals that a program gets for what it did itself; signal(7), action "Core".
bool is_crash(std::int32_t signal) {
  constexpr std::array<std::int32_t, 11> kCrashes = {3, 4, 5, 6, 7, 8, 11, 16, 24, 25, 31};
  return std::find(kCrashes.begin(), kCrashes.end(), signal) != kCrashes.end();
}

const char* oom_verdict(DomainKind domain) { return domain == DomainKind::kMemcg ? "memcg_oom" : "kernel_oom"; }

// The incident that a signal was sent in: as told, else the nearest decision before it.
const model::Incident* incident_of(const Context& context, const SignalSeen& signal, std::size_t boot) {
  const model::World& world = context.world;
  constexpr std::uint64_t kNear = 2'000'000'000;
  if (signal.incident && *signal.incident < world.incidents().size()) return &world.incidents()[*signal.incident];
  const model::Incident* nearest = nullptr;
  std::uint64_t least = kNear;
  for (const model::Incident* incident : context.incidents.begun_near(boot, signal.boot_ns, kNear)) {
    const std::uint64_t apart =
        std::max(signal.boot_ns, incident->boot_ns) - std::min(signal.boot_ns, incident->boot_ns);
    if (apart > least) continue;
    nearest = incident;
    least = apart;
  }
  return nearest;
}

const SignalSeen* find_signal(const Process& process, std::optional<std::int32_t> number, bool in_oom_kill) {
  const SignalSeen* found = nullptr;
  for (const SignalSeen& signal : process.signals) {
    if (signal.in_oom_kill != in_oom_kill || (number && signal.signal != *number)) continue;
    if (process.exit_ns && signal.boot_ns > *process.exit_ns) continue;
    found = &signal;
    // Of several SIGKILLs the first was the deadly one.
    if (signal.signal == kSigKill) break;
  }
  return found;
}

void told_sender(Ending& ending, const SignalSeen& signal) {
  if (signal.sender.pid == 0 && signal.sender.comm.empty()) return;
  ending.death.sender = Death::Sender{signal.sender.pid, signal.sender.comm};
  ending.sender = signal.sender.id;
}

bool by_oom_killer(const Context& context, const Process& process, Ending& ending) {
  const model::World& world = context.world;
  if (process.killed_in) {
    const model::Incident& incident = world.incidents()[*process.killed_in];
    ending.death.verdict = oom_verdict(incident.decision.domain);
    ending.death.signal = kSigKill;
    ending.oom = ending.violent = true;
    for (const model::Kill& kill : incident.kills) {
      if (kill.victim.id != process.id) continue;
      if (!process.exit_ns) ending.at_ns = kill.boot_ns;
      const model::Kill* chosen = chosen_kill(incident);
      if (kill.group_member && chosen && chosen->victim.id != process.id) {
        ending.death.because_of_pid = chosen->victim.pid;
        ending.because_of = chosen->victim.id;
        ending.death.detail = "its cgroup is killed as a whole (memory.oom.group)";
      }
    }
    return true;
  }
  const SignalSeen* sharer = find_signal(process, std::nullopt, true);
  if (!sharer || context.incidents.marked(process.id)) return false;
  const model::Incident* incident = incident_of(context, *sharer, process.boot);
  const model::Kill* chosen = incident ? chosen_kill(*incident) : nullptr;
  ending.death.verdict = oom_verdict(incident ? incident->decision.domain : DomainKind::kUnknown);
  ending.death.signal = kSigKill;
  ending.oom = ending.violent = true;
  if (!process.exit_ns) ending.at_ns = sharer->boot_ns;
  ending.death.detail = "shares the memory of the OOM killer's victim and went with it";
  if (chosen && chosen->victim.id != process.id) {
    ending.death.because_of_pid = chosen->victim.pid;
    ending.because_of = chosen->victim.id;
  }
  return true;
}

bool by_signal(const Context& context, const Process& process, std::int32_t number, Ending& ending) {
  Death& death = ending.death;
  death.signal = number;
  ending.violent = true;
  const SignalSeen* signal = find_signal(process, number, false);
  if (!signal && process.oom_victim && number == kSigKill && !context.incidents.marked(process.id)) {
    death.verdict = "kernel_oom";
    death.detail = "the kernel had marked it as an OOM victim; the decision itself was not recorded";
    ending.oom = true;
    return true;
  }
  if (signal) {
    told_sender(ending, *signal);
    if (is_oom_daemon(signal->sender.comm)) {
      death.verdict = "oom_daemon";
      return true;
    }
  }
  if (is_crash(number)) {
    death.verdict = "crash_signal";
    const model::Role role = context.role(process.id);
    if (number == kSigBus && (role == model::Role::kDataloaderWorker || role == model::Role::kWorker)) {
      death.detail = "a bus error in a worker: /dev/shm may have been full";
    }
    return true;
  }
  death.verdict = "sigkill";
  if (number != kSigKill) death.detail = "ended by signal " + std::to_string(number) + ", not by SIGKILL";
  return true;
}

bool judge_one(const Context& context, const Process& process, Ending& ending) {
  if (by_oom_killer(context, process, ending)) return true;
  if (process.wait_status) {
    const auto status = *process.wait_status;
    const auto number = static_cast<std::int32_t>(status & 0x7f);
    if (number != 0) return by_signal(context, process, number, ending);
    const auto code = static_cast<std::int32_t>((status >> 8) & 0xff);
    ending.death.exit_code = code;
    ending.death.verdict = code == 0 ? "exit_ok" : "exit_error";
    if (code > 128 && code < 128 + 65) {
      ending.death.detail = "the code stands for signal " + std::to_string(code - 128) + " of what it ran";
    }
    return true;
  }
  // No exit status: a signal that cannot be survived, or a log's line of an OOM daemon's, is an end as well.
  for (const std::int32_t number : {kSigKill, kSigTerm}) {
    const SignalSeen* signal = find_signal(process, number, false);
    if (!signal || (number == kSigTerm && !is_oom_daemon(signal->sender.comm))) continue;
    if (!process.exit_ns) ending.at_ns = signal->boot_ns;
    return by_signal(context, process, number, ending);
  }
  return false;
}

}  // namespace

Endings judge(const Context& context) {
  Endings endings;
  for (const auto& [id, process] : context.world.processes()) {
    Ending ending;
    ending.process = &process;
    ending.at_ns = process.exit_ns.value_or(0);
    if (!judge_one(context, process, ending)) continue;
    ending.death.pid = process.pid;
    ending.death.comm = process.comm;
    ending.death.role = context.role_of(id);
    ending.death.place = context.place_of(id);
    endings.emplace(id, std::move(ending));
  }
  return endings;
}

}  // namespace oomtrace::analysis
