// SPDX-License-Identifier: Apache-2.0
// oomtrace record: watch until interrupted, or while CMD runs.
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>

#include "base/text.h"
#include "base/time_text.h"
#include "base/units.h"
#include "cli/child.h"
#include "cli/event_output.h"
#include "cli/exit_status.h"
#include "cli/invoking_user.h"
#include "cli/least_privilege.h"
#include "cli/record_loop.h"
#include "cli/self_protection.h"
#include "cli/shell_quote.h"
#include "cli/stream_end.h"
#include "cli/verbs.h"
#include "sink/framed_sink.h"
#include "sink/writer_thread.h"
#include "trace/writer.h"

namespace oomtrace::cli {

namespace {

constexpr const char* kVerb = "record";

std::string default_file_name() {
  char host[65] = {};
  gethostname(host, sizeof(host) - 1);
  std::string name = host;
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '.') c = '_';
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const std::string time = format_rfc3339_ns(static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000);
  std::string stamp;  // 20261124T083000Z
  for (const char c : time.substr(0, time.find('.')))
    if (c != '-' && c != ':') stamp.push_back(c);
  if (stamp.empty() || stamp.back() != 'Z') stamp.push_back('Z');
  return "oomtrace-" + (name.empty() ? "host" : name) + "-" + stamp + ".oomtrace";
}

// A failed start leaves no empty file behind.
class FileGuard {
 public:
  explicit FileGuard(std::string path) : path_(std::move(path)) {}
  ~FileGuard() {
    if (!path_.empty()) unlink(path_.c_str());
  }
  FileGuard(const FileGuard&) = delete;
  FileGuard& operator=(const FileGuard&) = delete;
  void keep() { path_.clear(); }

 private:
  std::string path_;
};

int command_status(int wait_status) {
  if (WIFEXITED(wait_status)) return WEXITSTATUS(wait_status);
  if (WIFSIGNALED(wait_status)) return kSignalBase + WTERMSIG(wait_status);
  return kOutputFailed;
}

int cannot_run(const std::string& command, const Error& error) {
  fmt::print(stderr, "oomtrace record: {}: {}\n", escape_terminal(command), error.context);
  return error.sys_errno == ENOENT ? kNotFound : kCannotExecute;
}

struct Recording {
  std::unique_ptr<sink::LineQueue> queue;
  std::unique_ptr<sink::Stream> stream;    // null where none was asked for
  std::unique_ptr<MetricsOutput> metrics;  // likewise
  std::unique_ptr<EventOutput> output;
  std::unique_ptr<capture::Session> session;
  std::unique_ptr<sink::WriterThread> writer;
};

void stop_outputs(Recording& recording) {
  recording.writer->drain_and_stop();
  if (recording.stream) recording.stream->stop();
}

// What a user wants to know at the end; true where the file holds everything that was seen.
bool tell_end(const Recording& recording, const std::string& path) {
  const RecorderStatus status = recording.session->status();
  const sink::SinkStatus file = recording.writer->sink_status(0);
  const std::uint64_t dropped = recording.queue->dropped() + recording.output->unencodable();
  bool whole = true;
  if (file.lines_not_written > 0 || file.failing) {
    whole = false;
    fmt::print(stderr, "oomtrace record: {} of {} events could not be written to {}{}{}\n", file.lines_not_written,
               file.lines_not_written + file.lines, escape_terminal(path), file.first_error ? ": " : "",
               file.first_error ? file.first_error->context : std::string());
    fmt::print(stderr, "  what was written before is whole; free space on the disk and record again\n");
  }
  if (dropped > 0) {
    whole = false;
    fmt::print(stderr, "oomtrace record: {} events were dropped because the disk was too slow\n", dropped);
  }
  if (status.lost_events > 0)
    fmt::print(stderr, "oomtrace record: {} events were lost; the report says which\n", status.lost_events);
  if (recording.stream) tell_stream_end(kVerb, *recording.stream);  // the recording has it all
  fmt::print(stderr, "oomtrace: {} events, {} killed; report: oomtrace report {}\n", status.events,
             status.kills == 1 ? "1 process" : fmt::format("{} processes", status.kills), shell_quote(path));
  return whole;
}

// Where events go: the trace file's queue and, where asked for, the stream and the metrics.
Result<void> open_outputs(const RecordOptions& options, const InvokingUser& user, Recording& recording) {
  sink::FilterOptions narrowed = options.stream.filter;
  narrowed.kinds.clear();
  auto filter = sink::EventFilter::create(narrowed);
  if (!filter) return tl::make_unexpected(std::move(filter).error());
  auto queue = sink::LineQueue::create();
  if (!queue) return tl::make_unexpected(std::move(queue).error());
  recording.queue = *std::move(queue);
  if (!options.stream.target.empty()) {
    sink::StreamOptions stream_options = options.stream;
    stream_options.file.owner = sink::FileOwner{user.uid, user.gid};
    stream_options.must_be_there = false;  // a collector that starts later is no reason not to record
    auto stream = sink::Stream::open(stream_options);
    if (!stream) return tl::make_unexpected(std::move(stream).error());
    recording.stream = *std::move(stream);
  }
  if (options.metrics.any()) {
    auto metrics = MetricsOutput::create();
    if (!metrics) return tl::make_unexpected(std::move(metrics).error());
    recording.metrics = *std::move(metrics);
  }
  recording.output = std::make_unique<EventOutput>(recording.queue.get(), *std::move(filter), recording.stream.get(),
                                                   recording.metrics.get());
  return {};
}

void publish_metrics(const Recording& recording) {
  if (!recording.metrics) return;
  const std::uint64_t not_streamed = recording.stream ? recording.stream->status().not_delivered : 0;
  recording.metrics->publish(recording.session->status(), recording.writer->sink_status(0).lines_not_written,
                             not_streamed);
}

LoopHooks loop_hooks(const Recording& recording) {
  LoopHooks hooks;
  sink::Stream* const stream = recording.stream.get();
  if (stream != nullptr) hooks.reopen = [stream] { return reopen(*stream); };
  hooks.each_second = [&recording, told = false]() mutable {
    publish_metrics(recording);
    // A reader that is gone ends the stream, not the recording; that is told at once, and once.
    if (told || !recording.stream || !recording.stream->status().ended) return;
    told = true;
    warn(kVerb, "the stream's reader is gone; the recording goes on");
  };
  return hooks;
}

// Before there are other threads. What was refused, for the trace.
std::vector<std::string> give_up_and_protect(bool has_child, bool makes_files) {
  std::vector<std::string> warnings = protect_self();
  StillNeeded needed;
  needed.signal_child = has_child;
  needed.make_files = makes_files;
  if (auto refused = drop_privileges(needed)) warnings.push_back(*std::move(refused));
  for (const std::string& warning : warnings) warn(kVerb, warning);
  return warnings;
}

int record(const RecordOptions& options, const std::string& path, const InvokingUser& user, Child* child) {
  trace::WriterOptions file_options;
  file_options.force = options.force;
  file_options.owner = trace::Owner{user.uid, user.gid};
  auto file = trace::Writer::create(path, file_options);
  if (!file) return report_error(kVerb, file.error());
  FileGuard guard(path);

  Recording recording;
  if (auto opened = open_outputs(options, user, recording); !opened) return report_error(kVerb, opened.error());

  capture::SessionOptions session_options;
  session_options.rungs = options.rungs;
  session_options.redact = options.redact;
  session_options.command = shell_quote(options.command);
  auto session = capture::Session::open(std::move(session_options), *recording.output);
  if (!session) return report_error(kVerb, session.error());
  recording.session = *std::move(session);

  const bool makes_files = recording.stream != nullptr || !options.metrics.textfile.empty();
  const std::vector<std::string> warnings = give_up_and_protect(child != nullptr, makes_files);

  std::vector<sink::SinkEntry> sinks;
  sinks.push_back({std::make_unique<sink::FramedSink<trace::Writer>>(*std::move(file)), false});
  sink::WriterThreadOptions writer_options;
  writer_options.notice_fd = STDERR_FILENO;
  auto writer = sink::WriterThread::start(*recording.queue, std::move(sinks), writer_options);
  if (!writer) return report_error(kVerb, writer.error());
  recording.writer = *std::move(writer);
  if (recording.stream) {
    if (auto started = recording.stream->start(); !started) return report_error(kVerb, started.error());
  }
  if (recording.metrics) {
    if (auto started = recording.metrics->start(options.metrics); !started) return report_error(kVerb, started.error());
  }

  recording.session->start(warnings);
  publish_metrics(recording);
  recording.output->flush();  // whoever looks early finds the start and all processes
  fmt::print(stderr, "oomtrace: recording to {}{}\n", escape_terminal(path),
             child == nullptr ? " until interrupted (Ctrl-C)" : "");
  guard.keep();
  if (child != nullptr) {
    if (auto started = child->start(); !started) {
      recording.session->stop("error", std::nullopt);
      stop_outputs(recording);
      return cannot_run(options.command.front(), started.error());
    }
  }
  auto end = run_loop(*recording.session, child, loop_hooks(recording));
  recording.session->stop(end ? end->reason : "error", end ? end->command_status : std::nullopt);
  stop_outputs(recording);
  const bool whole = tell_end(recording, path);
  if (!end) return report_error(kVerb, end.error());
  if (end->command_status) return command_status(*end->command_status);
  return whole ? kDone : kOutputFailed;
}

}  // namespace

int run_record(const RecordOptions& options) {
  const InvokingUser user = find_invoking_user();
  block_signals();
  const std::string path = options.output.empty() ? default_file_name() : options.output;
  umask(077);
  if (options.command.empty()) return record(options, path, user, nullptr);
  auto child = Child::prepare(options.command, user);
  if (!child) return report_error(kVerb, child.error());
  return record(options, path, user, &*child);
}

}  // namespace oomtrace::cli
