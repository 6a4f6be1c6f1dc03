// SPDX-License-Identifier: Apache-2.0
// One reader's stream: filter, bounded queue, writer thread and target, apart from everybody else's.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "codec/json_writer.h"
#include "oomtrace/event.h"
#include "oomtrace/result.h"
#include "sink/event_filter.h"
#include "sink/event_tap.h"
#include "sink/file_sink.h"
#include "sink/line_queue.h"
#include "sink/target.h"
#include "sink/writer_thread.h"

namespace oomtrace::sink {

struct StreamOptions {
  std::string target = "-";
  FilterOptions filter;
  FileSinkOptions file;
  bool must_be_there = true;  // see open_target()
  LineQueueOptions queue{.capacity = std::size_t{4} << 20, .wake_bytes = 0};
};

struct StreamStatus {
  std::uint64_t lines = 0;                // handed on to the reader
  std::uint64_t not_delivered = 0;        // dropped because it was too slow, or refused while it was gone
  std::uint64_t kills_not_delivered = 0;  // oom.kill among those dropped
  bool failing = false;
  bool ended = false;  // the reader closed a pipe; nothing more is written
  int last_errno = 0;
  std::optional<Error> first_error;
};

// The producer's thread calls on_event() and on_kill_complete(); neither waits, nor allocates but for a trace.start
// that has to say what the stream leaves out. What a slow reader was
// not given it is told of by trace.lost, as soon as it reads again.
class Stream final : public EventTap {
 public:
  // Opens the target. Errors: those of EventFilter::create() and open_target(). To the journal only kills and trace.*
  // go, unless kinds are asked for: journald keeps 10000 messages in 30 s of one service, and people read it.
  static Result<std::unique_ptr<Stream>> open(const StreamOptions& options);

  // The same over a sink of the caller's, whatever the options' target says.
  static Result<std::unique_ptr<Stream>> over(std::unique_ptr<LineSink> sink, const StreamOptions& options);

  // Starts the writer thread; events may be given before, as many as the queue holds.
  Result<void> start();

  void on_event(const Event& event, std::string_view line) noexcept override;
  void on_kill_complete() noexcept override { queue_->push({}, kSync, LineClass::kDecision); }

  const Target& target() const { return target_; }
  void reopen() noexcept;
  // Delivers what is queued; a reader who does not take it within `patience` is left behind.
  void stop(std::chrono::milliseconds patience = std::chrono::seconds(5));
  StreamStatus status() const;

 private:
  Stream() = default;
  void tell_loss(const Event& now) noexcept;
  std::string_view told_start(const Event& event, std::string_view line) noexcept;

  Target target_;
  FilterOptions asked_for_;
  EventFilter filter_;
  std::unique_ptr<LineQueue> queue_;
  std::unique_ptr<LineSink> sink_;  // until start()
  std::unique_ptr<WriterThread> writer_;

  // Of the producer.
  std::uint64_t dropped_ = 0;  // since the last trace.lost
  Event last_dropped_;         // its head only
  std::uint64_t last_told_boot_ns_ = 0;
  std::array<char, codec::kMinLineBytes> loss_line_{};
  std::array<char, codec::kMaxLineBytes> start_line_{};
};

}  // namespace oomtrace::sink
