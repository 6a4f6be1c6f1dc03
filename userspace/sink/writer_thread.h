// SPDX-License-Identifier: Apache-2.0
// The thread that takes lines from the queue and does all waiting for disks and readers.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "oomtrace/result.h"
#include "sink/line_queue.h"
#include "sink/line_sink.h"
#include "sink/loss.h"

namespace oomtrace::sink {

struct SinkEntry {
  std::unique_ptr<LineSink> sink;
  bool flush_when_idle = false;  // for readers who want each line at once; a trace file waits for its frame
  // Before its next line, and once a sink that failed works again, it is given a trace.lost for the lines that it did
  // not take. No source: it is not.
  LossText loss;
};

struct WriterThreadOptions {
  std::chrono::milliseconds frame_interval{1000};  // how often frames are closed, and failing sinks tried again
  // How long a kSync may wait for more of the kind when the queue does not run empty: one fdatasync for a group kill.
  std::chrono::milliseconds sync_gather{20};
  int notice_fd = -1;  // where kNotice texts go, one line each; not owned; -1 = nowhere
};

struct SinkStatus {
  std::uint64_t lines = 0;              // taken by the sink
  std::uint64_t lines_not_written = 0;  // refused by it, or at the end still in it; never more are lost
  std::uint64_t errors = 0;
  int last_errno = 0;       // of the last error
  bool failing = false;     // the last write or flush failed, or it does not take all; tried again every frame_interval
  bool kills_only = false;  // failing, but lines of kills are taken
  std::uint64_t kill_lines_not_written = 0;  // of lines_not_written; never more are lost
  bool ended = false;                        // over for good
  std::optional<Error> first_error;
};

struct WriterThreadStatus {
  std::uint64_t notices = 0;
  std::uint64_t notices_dropped = 0;  // the terminal did not take them
  std::uint64_t syncs = 0;            // durable flushes, all sinks together counting as one
  std::uint64_t longest_sync_us = 0;  // from taking the first line that asked for one to its end
};

// Lines go to every sink in order. A sink that fails keeps its first error, and the others go on. While it fails, lines
// are not offered to it but counted, until a flush succeeds.
class WriterThread {
 public:
  // `queue` must outlive the thread. All signals are blocked in it. Errors: Errc::kOutput, no thread to be had.
  static Result<std::unique_ptr<WriterThread>> start(LineQueue& queue, std::vector<SinkEntry> sinks,
                                                     const WriterThreadOptions& options = {});

  WriterThread(const WriterThread&) = delete;
  WriterThread& operator=(const WriterThread&) = delete;
  ~WriterThread();  // drain_and_stop()

  // The producer has pushed its last line: writes what is queued, flushes durably, ends the thread. Sinks that still
  // wait for a reader after `patience` are cancelled.
  void drain_and_stop(std::chrono::milliseconds patience = std::chrono::seconds(5));

  // Any thread: LineSink::reopen() of all sinks.
  void reopen_sinks() noexcept;

  // Any thread, at any time.
  SinkStatus sink_status(std::size_t index) const;
  WriterThreadStatus status() const;
  bool all_sinks_ended() const;

 private:
  using Clock = std::chrono::steady_clock;

  struct Slot {
    std::unique_ptr<LineSink> sink;
    bool flush_when_idle = false;
    bool suspended = false;       // not offered lines until a flush succeeds
    bool sync_owed = false;       // a durable flush was asked for and has not succeeded yet
    std::uint64_t unflushed = 0;  // lines taken since the last flush that succeeded
    LossText loss;
    RefusedLines refused;  // not told yet
    std::atomic<std::uint64_t> lines{0};
    std::atomic<std::uint64_t> lines_not_written{0};
    std::atomic<std::uint64_t> kill_lines_not_written{0};
    std::atomic<std::uint64_t> errors{0};
    std::atomic<int> last_errno{0};
    std::atomic<bool> failing{false};
    std::atomic<bool> kills_only{false};
    std::atomic<bool> ended{false};
    std::optional<Error> first_error;  // under mutex_
  };

  WriterThread(LineQueue& queue, std::vector<SinkEntry> sinks, const WriterThreadOptions& options);

  void run();
  void take_queued();
  void take(const LineQueue::Item& item);
  void note_flags(std::uint32_t flags);
  void write_line(Slot& slot, const LineQueue::Item& item);
  void write_notice(std::string_view text);
  void flush_as_asked();
  void flush_all(bool durable);
  void flush(Slot& slot, bool durable);
  void roll_all();
  void refuse(Slot& slot, const LineQueue::Item& item);
  void tell_refused(Slot& slot);
  void note_shortage(Slot& slot);
  void on_error(Slot& slot, Error error);
  void close_books();

  LineQueue& queue_;
  const WriterThreadOptions options_;
  const std::size_t slot_count_;
  const std::unique_ptr<Slot[]> slots_;

  // Of the thread alone.
  bool flush_asked_ = false;
  std::optional<Clock::time_point> sync_asked_;
  Clock::time_point next_tick_;

  std::atomic<std::uint64_t> notices_{0};
  std::atomic<std::uint64_t> notices_dropped_{0};
  std::atomic<std::uint64_t> syncs_{0};
  std::atomic<std::uint64_t> longest_sync_us_{0};
  std::atomic<bool> stop_{false};

  mutable std::mutex mutex_;
  std::condition_variable finished_;
  bool is_finished_ = false;
  std::thread thread_;
};

}  // namespace oomtrace::sink
