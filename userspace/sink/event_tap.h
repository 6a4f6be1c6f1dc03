// SPDX-License-Identifier: Apache-2.0
// Whoever looks at a recording's events beside the trace file.
#pragma once

#include <string_view>

#include "oomtrace/event.h"

namespace oomtrace::sink {

// Called by the consumer's thread, on the way of a kill: neither waits nor allocates, but for a trace.start.
class EventTap {
 public:
  virtual ~EventTap() = default;

  // `line` is the event's, encoded.
  virtual void on_event(const Event& event, std::string_view line) noexcept = 0;
  // All events of a kill have been given.
  virtual void on_kill_complete() noexcept {}
};

}  // namespace oomtrace::sink
