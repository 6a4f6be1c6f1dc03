// SPDX-License-Identifier: Apache-2.0
// Encode and push.
#include "cli/event_output.h"

#include <variant>

#include "cli/kill_line.h"

namespace oomtrace::cli {

namespace {

// What the reserve of the queue is for: without it a kill cannot be explained.
bool belongs_to_kill(const Payload& payload) {
  if (const auto* memory = std::get_if<ProcessMemory>(&payload)) return memory->reason == MemoryReason::kKill;
  if (const auto* signal = std::get_if<SignalKill>(&payload)) return signal->in_oom_kill;
  if (const auto* cgroup = std::get_if<CgroupMemory>(&payload)) return cgroup->incident_id.has_value();
  return std::holds_alternative<OomKill>(payload) || std::holds_alternative<OomCandidate>(payload) ||
         std::holds_alternative<OomEnd>(payload) || std::holds_alternative<TraceStart>(payload) ||
         std::holds_alternative<TraceStop>(payload);
}

}  // namespace

void EventOutput::on_event(const Event& event) {
  const auto size = codec::encode_line(event, line_);
  if (!size) {
    ++unencodable_;
    return;
  }
  const auto line_class = belongs_to_kill(event.payload) ? sink::LineClass::kKill : sink::LineClass::kNormal;
  const auto* kill = std::get_if<OomKill>(&event.payload);
  // The person at the terminal comes before the disk.
  if (tell_kills_ && kill != nullptr && !kill->already_dying)
    queue_.push(format_kill_line(*kill, notice_), sink::kNotice, sink::LineClass::kKill);
  queue_.push({line_.data(), *size}, sink::kLine, line_class);
}

void EventOutput::on_kill_complete() { queue_.push({}, sink::kSync, sink::LineClass::kKill); }

}  // namespace oomtrace::cli
