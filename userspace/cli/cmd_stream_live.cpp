// SPDX-License-Identifier: Apache-2.0
// oomtrace stream without a file: events while they happen.
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>

#include "cli/event_output.h"
#include "cli/exit_status.h"
#include "cli/record_loop.h"
#include "cli/self_protection.h"
#include "cli/verbs.h"
#include "sink/stdout_sink.h"
#include "sink/writer_thread.h"

namespace oomtrace::cli {

namespace {

constexpr const char* kVerb = "stream";

}  // namespace

int run_live_stream(const StreamOptions& options) {
  block_signals();
  sink::LineQueueOptions queue_options;
  queue_options.wake_bytes = 0;  // a reader wants each line at once
  auto queue = sink::LineQueue::create(queue_options);
  if (!queue) return report_error(kVerb, queue.error());
  EventOutput output(**queue, false);
  capture::SessionOptions session_options;
  session_options.rungs = options.rungs;
  session_options.redact = options.redact;
  auto session = capture::Session::open(std::move(session_options), output);
  if (!session) return report_error(kVerb, session.error());

  std::vector<sink::SinkEntry> sinks;
  sinks.push_back({std::make_unique<sink::StdoutSink>(Fd(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3))), true});
  auto writer = sink::WriterThread::start(**queue, std::move(sinks));
  if (!writer) return report_error(kVerb, writer.error());
  const std::vector<std::string> warnings = protect_self();
  for (const std::string& warning : warnings) warn(kVerb, warning);
  (*session)->start(warnings);
  fmt::print(stderr, "oomtrace: recording to standard output until interrupted (Ctrl-C)\n");
  auto end = run_loop(
      **session, nullptr, [] {}, [&] { return (*writer)->all_sinks_ended(); });
  (*session)->stop(end ? end->reason : "error", std::nullopt);
  (*writer)->drain_and_stop();
  if (!end) return report_error(kVerb, end.error());
  const sink::SinkStatus status = (*writer)->sink_status(0);
  // A reader that has had enough (head, a closed pipe) is no error.
  if (status.first_error && status.last_errno != EPIPE && status.last_errno != ECONNRESET)
    return report_error(kVerb, *status.first_error);
  return kDone;
}

}  // namespace oomtrace::cli
