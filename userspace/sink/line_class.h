// SPDX-License-Identifier: Apache-2.0
// Which events a full queue keeps room for.
#pragma once

#include <variant>

#include "oomtrace/event.h"
#include "sink/line_queue.h"

namespace oomtrace::sink {

inline LineClass line_class_of(const Payload& payload) {
  const auto* kill = std::get_if<OomKill>(&payload);
  if (kill != nullptr || std::holds_alternative<TraceStart>(payload) || std::holds_alternative<TraceStop>(payload))
    return LineClass::kDecision;
  // Without these a kill is known but cannot be explained.
  bool explains = std::holds_alternative<OomCandidate>(payload) || std::holds_alternative<OomEnd>(payload);
  explains = explains || std::holds_alternative<TraceLost>(payload);  // a loss must not go unsaid for want of room
  if (const auto* memory = std::get_if<ProcessMemory>(&payload)) explains = memory->reason == MemoryReason::kKill;
  if (const auto* signal = std::get_if<SignalKill>(&payload)) explains = signal->in_oom_kill;
  if (const auto* cgroup = std::get_if<CgroupMemory>(&payload)) explains = cgroup->incident_id.has_value();
  return explains ? LineClass::kKill : LineClass::kNormal;
}

}  // namespace oomtrace::sink
