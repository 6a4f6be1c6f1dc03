// SPDX-License-Identifier: Apache-2.0
// Killed by somebody else than the kernel: kill -9 from a program or a person, or a user-space OOM daemon.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "analysis/findings/finding.h"
#include "analysis/findings/room.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr std::int32_t kSigKill = 9;

std::string room_text(const std::optional<Room>& room) {
  if (!room) return "";
  return fmt::format("; {} of {} were used in {}", format_bytes(room->used), format_bytes(room->size), room->where);
}

Remedy spare_it(const std::string& daemon) {
  Remedy remedy;
  remedy.title = fmt::format("Tell {} to spare the job, or to act later", daemon);
  if (daemon == "systemd-oomd") {
    remedy.command = "systemctl set-property --runtime UNIT ManagedOOMPreference=avoid; oomctl";
  } else if (daemon == "earlyoom") {
    remedy.command = "earlyoom -m 3 -s 3 --avoid '^(python3?|pt_)'";
  } else if (daemon == "kubelet") {
    remedy.command = "kubectl describe node NODE   # eviction thresholds; requests = limits makes the pod Guaranteed";
  }
  remedy.why = "It kills before the kernel does, by its own thresholds of memory and pressure.";
  remedy.risk = "What it spares, the kernel may kill later, with less warning.";
  return remedy;
}

// What is known of senders by their names: they act for somebody else.
std::string asked_of(const std::string& sender) {
  if (sender.starts_with("slurmstepd")) return "sacct -j JOBID --format=State,ExitCode,MaxRSS,Elapsed,Timelimit";
  if (sender.starts_with("containerd") || sender.starts_with("dockerd") || sender.starts_with("conmon") ||
      sender == "runc" || sender == "crun") {
    return "docker events --since 1h --filter event=kill   # Kubernetes: kubectl describe pod POD";
  }
  if (sender == "systemd") return "systemctl status UNIT; journalctl -u UNIT   # stop, RuntimeMaxSec, a watchdog";
  if (sender.starts_with("raylet")) return "ray memory   # its own memory monitor kills workers early";
  return "";
}

Remedy find_sender(const std::string& comm, const std::string& sender, std::uint32_t pid) {
  Remedy remedy;
  remedy.title = fmt::format("Look into {}: more memory would change nothing", sender);
  remedy.command = asked_of(comm);
  if (remedy.command->empty()) remedy.command = fmt::format("journalctl _PID={} ; last -x | head", pid);
  remedy.why = "The signal came from this process, and the kernel's OOM killer had no part in it.";
  remedy.risk = "None: it only reads.";
  return remedy;
}

struct Sent {
  model::ProcessId sender = model::kNoProcess;
  std::int32_t signal = 0;
  auto operator<=>(const Sent&) const = default;
};

Diagnosis tell(const Aftermath& aftermath, const Sent& sent, const std::vector<const Ending*>& endings) {
  const Ending& first = *endings.front();
  const auto& sender = first.death.sender;
  const bool daemon = first.death.verdict == "oom_daemon";
  std::string name = "somebody who is not known";
  if (sender) {
    const model::Process* process = aftermath.context.world.find(first.sender);
    name = process ? named(*process) : named(sender->comm, sender->pid);
  }
  const auto room = room_at(aftermath.context, *first.process, first.at_ns);
  std::size_t followers = 0;
  for (const Ending* ending : endings) followers += aftermath.followers(*ending);
  const auto role = aftermath.context.role_of(first.process->id);
  Diagnosis diagnosis;
  Cause& cause = diagnosis.cause;
  cause.kind = daemon ? "killed_by_oom_daemon" : "killed_by_process";
  cause.confidence = sender ? 0.95 : 0.6;
  cause.summary = fmt::format(
      "{}{}{} {} ended with {} by {}, not by the kernel's OOM killer{}{}.", role && *role != "other" ? *role + " " : "",
      named(*first.process), endings.size() > 1 ? fmt::format(" and {} more", endings.size() - 1) : "",
      endings.size() > 1 ? "were" : "was", signal_name(sent.signal), name, room_text(room), followers_text(followers));
  cause.evidence = {{"processes that it ended", static_cast<double>(endings.size()), "processes", "signal.kill"},
                    {"signal", static_cast<double>(sent.signal), "", "signal.kill"}};
  if (room) add_evidence(*room, cause.evidence);
  diagnosis.remedies.push_back(daemon ? spare_it(sender ? sender->comm : "the OOM daemon")
                                      : find_sender(sender ? sender->comm : "", name, sender ? sender->pid : 0));
  return diagnosis;
}

}  // namespace

void find_killed(const Aftermath& aftermath, std::vector<Diagnosis>& found) {
  std::map<Sent, std::vector<const Ending*>> by_sender;
  for (const Ending* ending : aftermath.roots()) {
    const bool daemon = ending->death.verdict == "oom_daemon";
    if (!daemon && ending->death.verdict != "sigkill") continue;
    // What a program does with its own children concerns nobody else; nor does a polite request to a stranger.
    const bool stranger = !aftermath.concerns(*ending->process);
    if (!daemon && stranger && (ending->death.signal != kSigKill || aftermath.by_ancestor(*ending))) continue;
    by_sender[{ending->sender, ending->death.signal.value_or(0)}].push_back(ending);
  }
  // Of so many senders only those with the most ends: each is looked into, and a report tells of fewer.
  constexpr std::size_t kMostSenders = 64;
  std::vector<std::size_t> sizes;
  for (const auto& [sent, endings] : by_sender) sizes.push_back(endings.size());
  std::sort(sizes.rbegin(), sizes.rend());
  const std::size_t least = sizes.size() > kMostSenders ? sizes[kMostSenders - 1] : 0;
  std::size_t told = 0;
  for (const auto& [sent, endings] : by_sender) {
    if (endings.size() < least || told++ == kMostSenders) continue;
    found.push_back(tell(aftermath, sent, endings));
  }
}

}  // namespace oomtrace::analysis
