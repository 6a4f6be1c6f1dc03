// SPDX-License-Identifier: Apache-2.0
// From the session's events to the writer's queue: encodes each into a fixed buffer.
#pragma once

#include <array>
#include <cstdint>

#include "capture/session.h"
#include "codec/json_writer.h"
#include "sink/line_queue.h"

namespace oomtrace::cli {

// On the way of a kill nothing here allocates or waits.
class EventOutput final : public capture::EventHandler {
 public:
  explicit EventOutput(sink::LineQueue& queue, bool tell_kills) : queue_(queue), tell_kills_(tell_kills) {}

  void on_event(const Event& event) override;
  void on_kill_complete() override;

  // What was given so far goes to the file now.
  void flush() { queue_.push({}, sink::kFlush, sink::LineClass::kKill); }

  // Events that could not be encoded; none should.
  std::uint64_t unencodable() const { return unencodable_; }

 private:
  sink::LineQueue& queue_;
  const bool tell_kills_;
  std::uint64_t unencodable_ = 0;
  std::array<char, codec::kMaxLineBytes> line_{};
  std::array<char, 512> notice_{};
};

}  // namespace oomtrace::cli
