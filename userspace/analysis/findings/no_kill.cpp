// SPDX-License-Identifier: Apache-2.0
// Nothing was OOM-killed: said in so many words, with what the run came to and how near it was to its limit.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/findings/finding.h"
#include "analysis/findings/room.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr double kAtLimit = 0.98;    // of the limit: it stood there
constexpr double kCacheFills = 0.2;  // of what was used then

// Whom the report is about: of those it concerns the one that was largest, alive or not.
const model::Process* subject_of(const Aftermath& aftermath) {
  const model::Process* largest = nullptr;
  std::int64_t most = -1;
  for (const auto& [id, process] : aftermath.context.world.processes()) {
    if (!aftermath.concerns(process)) continue;
    // A worker's pages are its trainer's for the most part.
    if (aftermath.context.units.is_helper(id)) continue;
    const std::int64_t peak = peak_of(process);
    if (peak <= most) continue;
    largest = &process;
    most = peak;
  }
  return largest;
}

std::string how_it_ended(const Aftermath& aftermath, const model::Process& process) {
  const auto found = aftermath.endings.find(process.id);
  if (found == aftermath.endings.end()) {
    return process.alive() ? "was still running at the end of the recording" : "ended";
  }
  const Death& death = found->second.death;
  if (death.signal) return fmt::format("ended by {}", signal_name(*death.signal));
  if (death.exit_code) return fmt::format("ended with exit code {}", *death.exit_code);
  return "ended";
}

std::string room_text(const Room& room) {
  const auto size = static_cast<double>(room.size);
  const std::string most = format_bytes(room.most_used), all = format_bytes(room.size);
  if (static_cast<double>(room.most_used) < kAtLimit * size) {
    return fmt::format(" Of {} in {}, {} were used at most.", all, room.where, most);
  }
  const std::int64_t cache = room.cache_at_most.value_or(0);
  if (static_cast<double>(cache) < kCacheFills * static_cast<double>(room.most_used)) {
    return fmt::format(" It came near a kill: {} of {} in {} were used.", most, all, room.where);
  }
  return fmt::format(
      " {} of {} in {} were used, {} of it page cache, which the kernel takes back when others need the room: a limit "
      "that is reached in this way kills nobody.",
      most, all, room.where, format_bytes(cache));
}

// Of a recorder's traces: they begin and end as it wrote them.
bool are_whole(const model::World& world) {
  return std::all_of(world.traces().begin(), world.traces().end(), [](const model::Trace& trace) {
    return trace.host.source != "live" || (trace.started && trace.stop_reason);
  });
}

std::uint64_t lost_events(const model::World& world) {
  std::uint64_t lost = 0;
  for (const model::Trace& trace : world.traces()) {
    for (const auto& [source, loss] : trace.losses) lost += std::min(loss.count, UINT64_MAX - lost);
  }
  return lost;
}

}  // namespace

void find_no_kill(const Aftermath& aftermath, std::vector<Diagnosis>& found) {
  const model::World& world = aftermath.context.world;
  if (!world.incidents().empty() || world.traces().empty()) return;
  const bool told = std::any_of(found.begin(), found.end(),
                                [](const Diagnosis& other) { return other.cause.kind != "orphaned_workers"; });
  if (told) return;
  const bool log_only = std::all_of(world.traces().begin(), world.traces().end(),
                                    [](const model::Trace& trace) { return trace.host.source == "kernel_log"; });
  const std::uint64_t lost = lost_events(world);
  Diagnosis diagnosis;
  Cause& cause = diagnosis.cause;
  cause.kind = "no_oom_kill";
  const bool whole = are_whole(world);
  cause.confidence = log_only ? 0.8 : !whole ? 0.5 : lost > 0 ? 0.9 : 1.0;
  cause.summary =
      log_only ? "The log that was read tells of no OOM kill."
      : whole  ? "Nothing was OOM-killed while the recorder watched."
               : "Nothing was OOM-killed in what there is of the recording, which lacks its beginning or its end.";
  cause.evidence = {{"OOM kills", 0, "kills", log_only ? "kernel.log" : "oom.kill"}};
  if (lost > 0) cause.evidence.push_back({"events lost", static_cast<double>(lost), "events", "trace.lost"});
  if (const model::Process* subject = subject_of(aftermath)) {
    const std::int64_t peak = peak_of(*subject);
    const auto end_ns = subject->exit_ns.value_or(UINT64_MAX);
    cause.summary += fmt::format(" {} {} and held {} at most.", named(*subject), how_it_ended(aftermath, *subject),
                                 format_bytes(peak));
    cause.evidence.push_back(
        {"held at most by " + named(*subject), static_cast<double>(peak), "bytes", "process.memory"});
    if (const auto room = room_at(aftermath.context, *subject, end_ns)) {
      cause.summary += room_text(*room);
      add_evidence(*room, cause.evidence);
      if (room->cache_at_most) {
        cause.evidence.push_back(
            {"of it page cache", static_cast<double>(*room->cache_at_most), "bytes", room->source});
      }
    }
  }
  found.push_back(std::move(diagnosis));
}

}  // namespace oomtrace::analysis
