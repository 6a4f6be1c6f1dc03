// SPDX-License-Identifier: Apache-2.0
// All that a running `record` consists of: the session and everybody who gets its events.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "capture/session.h"
#include "cli/event_output.h"
#include "cli/invoking_user.h"
#include "cli/metrics_output.h"
#include "cli/record_loop.h"
#include "cli/state_keeper.h"
#include "cli/syscall_filter.h"
#include "cli/verbs.h"
#include "oomtrace/result.h"
#include "sink/line_queue.h"
#include "sink/stream.h"
#include "sink/writer_thread.h"
#include "trace/segment_writer.h"

namespace oomtrace::cli {

class Recording {
 public:
  // Opens the file and the stream, and loads and attaches the programs. A recording that is destroyed before start()
  // leaves no file behind. Errors: those of the files, the stream and the session.
  static Result<std::unique_ptr<Recording>> open(const RecordOptions& options, const InvokingUser& user);

  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  ~Recording();

  // Gives up privileges, starts the threads, then the session. `child` may be null. Errors: a thread, or metrics that
  // cannot be served.
  Result<void> start(const RecordOptions& options, const Child* child);

  capture::Session& session() { return *session_; }
  LoopHooks hooks();

  // The last events, and all outputs to their end.
  void stop(const char* reason, std::optional<int> command_status);
  // What a user wants to know at the end, on stderr; true where the file holds everything that was seen.
  bool tell_end() const;

  const std::string& path() const { return path_; }  // of the file, or of the state directory

 private:
  Recording() = default;
  Result<void> open_file(const RecordOptions& options, const InvokingUser& user);
  Result<void> open_outputs(const RecordOptions& options, const InvokingUser& user);
  SyscallNeeds syscall_needs(const RecordOptions& options, const Child* child) const;
  void each_second();
  void tell_shortage(const sink::SinkStatus& file);
  void publish_metrics() const;

  Fd directory_;  // of the file, until it is sure to stay
  Fd lock_;       // the state directory: no other recorder has it, and segments are made in it
  std::string path_;
  std::string unwanted_file_;             // its name in directory_ or lock_, to be removed where the start fails
  std::unique_ptr<sink::LineSink> file_;  // until start()
  int no_reserve_ = 0;                    // FramedSink::no_reserve() of it
  const trace::SegmentWriter* segments_ = nullptr;
  std::unique_ptr<sink::LineQueue> queue_;
  std::unique_ptr<sink::Stream> stream_;    // null where none was asked for,
  std::unique_ptr<MetricsOutput> metrics_;  // likewise,
  std::unique_ptr<StateKeeper> state_;      // likewise
  std::unique_ptr<EventOutput> output_;
  std::unique_ptr<capture::Session> session_;
  std::unique_ptr<sink::WriterThread> writer_;
  bool told_stream_ended_ = false;
  bool told_shortage_ = false;
  std::uint64_t shortage_told_ns_ = 0;
};

}  // namespace oomtrace::cli
