// SPDX-License-Identifier: Apache-2.0
// Putting a recording together, running it, taking it apart.
#include "cli/recording.h"

#include <fmt/core.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <utility>

#include "base/sys_error.h"
#include "base/text.h"
#include "base/time_text.h"
#include "cli/exit_status.h"
#include "cli/least_privilege.h"
#include "cli/recorded_command.h"
#include "cli/resident_memory.h"
#include "cli/self_protection.h"
#include "cli/service_notify.h"
#include "cli/shell_quote.h"
#include "cli/state_directory.h"
#include "cli/state_jobs.h"
#include "cli/stream_end.h"
#include "cli/tell.h"
#include "sink/framed_sink.h"
#include "trace/writer.h"

namespace oomtrace::cli {

namespace {

constexpr const char* kVerb = "record";

std::uint64_t clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

// "oomtrace-<host>-<UTC time>"
std::string recording_name() {
  char host[65] = {};
  gethostname(host, sizeof(host) - 1);
  std::string name = host;
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '.') c = '_';
  return "oomtrace-" + (name.empty() ? "host" : name) + "-" +
         compact_utc(static_cast<std::int64_t>(clock_ns(CLOCK_REALTIME)));
}

// What the options ask for, but no more than the file system holds.
StateOptions within_file_system(StateOptions options, const Fd& directory) {
  struct statvfs system {};
  if (fstatvfs(directory.get(), &system) != 0 || system.f_blocks == 0) return options;
  options.max_bytes = std::min(options.max_bytes, std::uint64_t{system.f_blocks} * system.f_frsize);
  return options;
}

}  // namespace

Recording::~Recording() {
  if (!unwanted_file_.empty()) unlinkat(lock_ ? lock_.get() : directory_.get(), unwanted_file_.c_str(), 0);
}

Result<std::unique_ptr<Recording>> Recording::open(const RecordOptions& options, const InvokingUser& user) {
  std::unique_ptr<Recording> recording(new Recording);
  if (auto opened = recording->open_file(options, user); !opened) return tl::make_unexpected(std::move(opened).error());
  if (auto opened = recording->open_outputs(options, user); !opened)
    return tl::make_unexpected(std::move(opened).error());
  capture::SessionOptions session_options;
  session_options.rungs = options.rungs;
  session_options.redact = options.redact;
  if (options.ring_bytes != 0)
    session_options.bpf.lifecycle_ring_bytes = session_options.bpf.growth_ring_bytes = options.ring_bytes;
  session_options.narrowed = options.stream.filter.by_process();
  session_options.command = recorded_command(options.command, options.redact);
  auto session = capture::Session::open(std::move(session_options), *recording->output_);
  if (!session) return tl::make_unexpected(std::move(session).error());
  recording->session_ = *std::move(session);
  return recording;
}

Result<void> Recording::open_file(const RecordOptions& options, const InvokingUser& user) {
  trace::WriterOptions file_options;
  file_options.force = options.force;
  file_options.owner = trace::Owner{user.uid, user.gid};
  if (options.state.directory.empty()) {
    path_ = options.output.empty() ? recording_name() + ".oomtrace" : options.output;
    auto opened = trace::open_directory_of(path_, file_options.owner);
    if (!opened) return tl::make_unexpected(std::move(opened).error());
    directory_ = *std::move(opened);
    file_options.directory = directory_.get();
    auto file = trace::Writer::create(path_, file_options);
    if (!file) return tl::make_unexpected(std::move(file).error());
    unwanted_file_ = path_.substr(path_.rfind('/') + 1);  // npos + 1 is 0
    auto framed = std::make_unique<sink::FramedSink<trace::Writer>>(*std::move(file));
    no_reserve_ = framed->no_reserve();
    file_ = std::move(framed);
    return {};
  }
  path_ = options.state.directory;
  auto directory = open_state_directory(path_, user);
  if (!directory) return tl::make_unexpected(std::move(directory).error());
  StateKeeper::Helpers helpers;
  for (auto* helper : {&helpers.post_mortems, &helpers.tidying}) {
    auto started = HelperProcess::start(directory->fd, {directory->uid, directory->gid, do_state_job});
    if (!started) return tl::make_unexpected(std::move(started).error());
    *helper = *std::move(started);
  }
  const std::string name = recording_name();
  file_options.owner = trace::Owner{directory->uid, directory->gid};
  file_options.directory = directory->fd.get();  // which is kept open, and was looked at
  auto segments = trace::SegmentWriter::create(path_, name, file_options);
  if (!segments) return tl::make_unexpected(std::move(segments).error());
  unwanted_file_ = trace::SegmentName{name, 1, false}.file_name();
  segments_ = segments->get();
  auto framed = std::make_unique<sink::FramedSink<trace::SegmentWriter>>(*std::move(segments));
  no_reserve_ = framed->no_reserve();
  file_ = std::move(framed);
  const StateOptions state_options = within_file_system(options.state, directory->fd);
  state_ = std::make_unique<StateKeeper>(state_options, name, *segments_, std::move(helpers));
  lock_ = std::move(directory->fd);
  return {};
}

// Where events go: the trace file's queue and, where asked for, stream, metrics and the keeper of the state directory.
Result<void> Recording::open_outputs(const RecordOptions& options, const InvokingUser& user) {
  sink::FilterOptions narrowed = options.stream.filter;
  narrowed.kinds.clear();
  auto filter = sink::EventFilter::create(narrowed);
  if (!filter) return tl::make_unexpected(std::move(filter).error());
  auto queue = sink::LineQueue::create();
  if (!queue) return tl::make_unexpected(std::move(queue).error());
  queue_ = *std::move(queue);
  std::vector<sink::EventTap*> taps;
  if (!options.stream.target.empty()) {
    sink::StreamOptions stream_options = options.stream;
    stream_options.file.owner = sink::FileOwner{user.uid, user.gid};
    stream_options.must_be_there = false;  // a collector that starts later is no reason not to record
    auto stream = sink::Stream::open(stream_options);
    if (!stream) return tl::make_unexpected(std::move(stream).error());
    stream_ = *std::move(stream);
    taps.push_back(stream_.get());
  }
  if (options.metrics.any()) {
    auto metrics = MetricsOutput::create();
    if (!metrics) return tl::make_unexpected(std::move(metrics).error());
    metrics_ = *std::move(metrics);
    taps.push_back(metrics_.get());
  }
  if (state_) taps.push_back(state_.get());
  output_ = std::make_unique<EventOutput>(queue_.get(), *std::move(filter), std::move(taps));
  return {};
}

SyscallNeeds Recording::syscall_needs(const RecordOptions& options, const Child* child) const {
  SyscallNeeds needs = needs_of(stream_.get());
  needs.make_files = needs.make_files || state_ || !options.metrics.textfile.empty();
  if (child != nullptr) needs.signal_pid = child->pid();
  return needs;
}

Result<void> Recording::start(const RecordOptions& options, const Child* child) {
  // Before there are other threads.
  std::vector<std::string> warnings = protect_self();
  Outputs outputs{child != nullptr, state_ != nullptr, !options.metrics.textfile.empty(), std::nullopt};
  if (stream_) outputs.stream = stream_->target().kind;
  if (auto refused = drop_privileges(outputs)) warnings.push_back(*std::move(refused));
  if (no_reserve_ != 0)
    warnings.push_back("no room is kept for kills (" + errno_text(no_reserve_) +
                       "): if the disk fills up, they may be lost with all else");
  for (const std::string& warning : warnings) warn(kVerb, warning);

  std::vector<sink::SinkEntry> sinks;
  sinks.push_back({std::move(file_), false, {"disk", "the file had no room or could not be written to"}});
  sink::WriterThreadOptions writer_options;
  writer_options.notice_fd = STDERR_FILENO;
  auto writer = sink::WriterThread::start(*queue_, std::move(sinks), writer_options);
  if (!writer) return tl::make_unexpected(std::move(writer).error());
  writer_ = *std::move(writer);
  if (stream_) {
    if (auto started = stream_->start(); !started) return started;
  }
  if (metrics_) {
    if (auto started = metrics_->start(options.metrics); !started) return started;
  }
  // The port is open; CMD and the helper are processes of their own.
  if (auto refused = refuse_syscalls(syscall_needs(options, child))) {
    warn(kVerb, *refused);
    warnings.push_back(*std::move(refused));
  }
  if (state_) state_->began_segment(clock_ns(CLOCK_BOOTTIME));
  session_->start(warnings);
  publish_metrics();
  hold_spare_memory(session_->host());
  output_->flush();  // whoever looks early finds the start and all processes
  unwanted_file_.clear();
  directory_.reset();
  notify_ready("recording to " + path_);
  return {};
}

void Recording::publish_metrics() const {
  if (!metrics_) return;
  metrics_->publish(session_->status(), writer_->sink_status(0).lines_not_written,
                    stream_ ? stream_->status().not_delivered : 0);
}

void Recording::each_second() {
  notify_alive();
  publish_metrics();
  const sink::SinkStatus file = writer_->sink_status(0);
  tell_shortage(file);
  const auto flush = [this] { output_->flush(); };
  const bool roll = state_ && state_->each_second(clock_ns(CLOCK_BOOTTIME), flush, file.failing);
  // A new segment begins with much that a full disk would not take.
  if (roll && !file.failing) {
    session_->end_segment();
    output_->roll();
    session_->begin_segment();
    state_->began_segment(clock_ns(CLOCK_BOOTTIME));
  }
  // A reader that is gone ends the stream, not the recording; that is told at once, and once.
  if (told_stream_ended_ || !stream_ || !stream_->status().ended) return;
  told_stream_ended_ = true;
  warn(kVerb, "the stream's reader is gone; the recording goes on");
}

// At once, so that somebody can make room; a disk that fills again and again is told of once a minute.
void Recording::tell_shortage(const sink::SinkStatus& file) {
  constexpr std::uint64_t kQuietNs = 60'000'000'000;
  const std::uint64_t now_ns = clock_ns(CLOCK_BOOTTIME);
  if (file.failing == told_shortage_) return;
  if (file.failing && shortage_told_ns_ != 0 && now_ns < shortage_told_ns_ + kQuietNs) return;
  told_shortage_ = file.failing;
  if (!file.failing) {
    warn(kVerb, fmt::format("{} is written to again; {} events were dropped", path_, file.lines_not_written));
    return;
  }
  shortage_told_ns_ = now_ns;
  warn(kVerb, fmt::format("{}: {}; until that ends {}", path_, errno_text(file.last_errno),
                          file.kills_only ? "only kills are recorded" : "events are dropped"));
}

LoopHooks Recording::hooks() {
  LoopHooks hooks;
  hooks.each_second = [this] { each_second(); };
  if (state_) hooks.after_service = [this] { state_->service(clock_ns(CLOCK_BOOTTIME)); };
  if (stream_) hooks.reopen = [this] { return reopen(*stream_); };
  return hooks;
}

void Recording::stop(const char* reason, std::optional<int> command_status) {
  notify_stopping();
  session_->stop(reason, command_status);
  writer_->drain_and_stop();
  if (stream_) stream_->stop();
  if (state_) state_->finish();
}

bool Recording::tell_end() const {
  const RecorderStatus status = session_->status();
  const sink::SinkStatus file = writer_->sink_status(0);
  const std::uint64_t dropped = queue_->dropped() + output_->unencodable();
  bool whole = true;
  if (file.lines_not_written > 0 || file.failing) {
    whole = false;
    tell("oomtrace record: {} of {} events could not be written to {}: {}\n", file.lines_not_written,
         file.lines_not_written + file.lines, escape_terminal(path_), errno_text(file.last_errno));
    // Pages for the file's cache are charged to the recorder's own cgroup.
    tell("  {}; {} and record again\n",
         file.kill_lines_not_written == 0 ? "none of them is part of a kill" : "what was written before is whole",
         file.last_errno == ENOMEM ? "give the recorder's memory cgroup room" : "free space on the disk");
  }
  if (dropped > 0) {
    whole = false;
    tell("oomtrace record: {} events were dropped because the disk was too slow\n", dropped);
  }
  if (status.lost_events > 0) tell("oomtrace record: {} events were lost; the report says which\n", status.lost_events);
  if (state_ && state_->left_out() > 0)
    tell("oomtrace record: {} post-mortems were not written; the recording has what they would say\n",
         state_->left_out());
  if (stream_) tell_stream_end(kVerb, *stream_);  // the recording has it all
  const std::string killed = status.kills == 1 ? "1 process" : fmt::format("{} processes", status.kills);
  if (state_)
    tell("oomtrace: {} events, {} killed; recordings: oomtrace list {}\n", status.events, killed, shell_quote(path_));
  else
    tell("oomtrace: {} events, {} killed; report: oomtrace report {}\n", status.events, killed, shell_quote(path_));
  return whole;
}

}  // namespace oomtrace::cli
