// SPDX-License-Identifier: Apache-2.0
// From the session's events to those who write them: encodes each once, into a fixed buffer.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "capture/session.h"
#include "codec/json_writer.h"
#include "sink/event_filter.h"
#include "sink/event_tap.h"
#include "sink/line_queue.h"

namespace oomtrace::cli {

// On the way of a kill nothing here allocates or waits.
class EventOutput final : public capture::EventHandler {
 public:
  // `trace` is the trace file's queue, or null; with it goes a notice for the terminal of every kill. `taps` get every
  // event. All must outlive this.
  EventOutput(sink::LineQueue* trace, sink::EventFilter trace_filter, std::vector<sink::EventTap*> taps)
      : trace_(trace), trace_filter_(std::move(trace_filter)), taps_(std::move(taps)) {}

  void on_event(const Event& event) override;
  void on_kill_complete() override;
  std::uint64_t not_kept() const override { return (trace_ != nullptr ? trace_->dropped() : 0) + unencodable_; }

  // What was given so far goes to the file now.
  void flush();
  // What is given from now on goes to the next segment.
  void roll();

  // Events that could not be encoded; none should.
  std::uint64_t unencodable() const { return unencodable_; }

 private:
  sink::LineQueue* const trace_;
  sink::EventFilter trace_filter_;
  const std::vector<sink::EventTap*> taps_;
  std::uint64_t unencodable_ = 0;
  std::array<char, codec::kMaxLineBytes> line_{};
  std::array<char, 512> notice_{};
};

}  // namespace oomtrace::cli
