// SPDX-License-Identifier: Apache-2.0
// Pushing, dropping, and telling of it.
#include "sink/stream.h"

#include <new>
#include <utility>

#include "codec/json_writer.h"
#include "sink/line_class.h"
#include "sink/loss.h"

namespace oomtrace::sink {
namespace {

// A reader that is slow all the time is told no more often.
constexpr std::uint64_t kTellIntervalNs = 1'000'000'000;
constexpr std::string_view kTooSlow = "the reader of the stream was too slow";

}  // namespace

Result<std::unique_ptr<Stream>> Stream::over(std::unique_ptr<LineSink> sink, const StreamOptions& options) {
  std::unique_ptr<Stream> stream(new Stream);
  auto filter = EventFilter::create(options.filter);
  if (!filter) return tl::make_unexpected(std::move(filter).error());
  stream->filter_ = *std::move(filter);
  stream->asked_for_ = options.filter;
  auto queue = LineQueue::create(options.queue);
  if (!queue) return tl::make_unexpected(std::move(queue).error());
  stream->queue_ = *std::move(queue);
  stream->sink_ = std::move(sink);
  return stream;
}

Result<std::unique_ptr<Stream>> Stream::open(const StreamOptions& options) {
  const Target target = parse_target(options.target);
  StreamOptions narrowed = options;
  if (target.kind == TargetKind::kJournal && narrowed.filter.kinds.empty()) narrowed.filter.kinds = {"oom.kill"};
  auto stream = over(nullptr, narrowed);
  if (!stream) return stream;
  auto sink = open_target(target, options.file, options.must_be_there);
  if (!sink) return tl::make_unexpected(std::move(sink).error());
  (*stream)->target_ = target;
  (*stream)->sink_ = *std::move(sink);
  return stream;
}

Result<void> Stream::start() {
  std::vector<SinkEntry> sinks;
  sinks.push_back({std::move(sink_), true, {"stream", "the reader was gone or its file could not be written"}});
  auto writer = WriterThread::start(*queue_, std::move(sinks));
  if (!writer) return tl::make_unexpected(std::move(writer).error());
  writer_ = *std::move(writer);
  return {};
}

void Stream::on_event(const Event& event, std::string_view line) noexcept {
  if (!filter_.passes(event)) return;
  if (dropped_ > 0) tell_loss(event);
  if (std::holds_alternative<TraceStart>(event.payload)) line = told_start(event, line);
  if (queue_->push(line, kLine, line_class_of(event.payload))) return;
  ++dropped_;
  last_dropped_ = loss_in_place_of(event, 0, {});
}

// Without memory it is told as everybody else gets it.
std::string_view Stream::told_start(const Event& event, std::string_view line) noexcept {
  try {
    const auto told = narrowed_start(event, asked_for_);
    const auto size = told ? codec::encode_line(*told, start_line_) : Result<std::size_t>(0);
    if (size && *size > 0) return {start_line_.data(), *size};
  } catch (const std::bad_alloc&) {
  }
  return line;
}

// Where a line like any other fits again, the reader reads again. At the end it may still do so: the reserve is for
// that.
void Stream::tell_loss(const Event& now) noexcept {
  const bool last = std::holds_alternative<TraceStop>(now.payload);
  if (!last && now.boot_ns - last_told_boot_ns_ < kTellIntervalNs) return;
  const auto size = codec::encode_line(loss_in_place_of(last_dropped_, dropped_, kTooSlow), loss_line_);
  const LineClass line_class = last ? LineClass::kDecision : LineClass::kNormal;
  if (!size || !queue_->fits(*size, line_class)) return;
  queue_->push({loss_line_.data(), *size}, kLine, line_class);
  dropped_ = 0;
  last_told_boot_ns_ = now.boot_ns;
}

void Stream::reopen() noexcept {
  if (writer_) writer_->reopen_sinks();
}

void Stream::stop(std::chrono::milliseconds patience) {
  if (writer_) writer_->drain_and_stop(patience);
}

StreamStatus Stream::status() const {
  StreamStatus status;
  status.not_delivered = queue_->dropped();
  status.kills_not_delivered = queue_->dropped(LineClass::kDecision);
  if (!writer_) return status;
  SinkStatus sink = writer_->sink_status(0);
  status.lines = sink.lines;
  status.not_delivered += sink.lines_not_written;
  status.failing = sink.failing;
  status.ended = sink.ended;
  status.last_errno = sink.last_errno;
  status.first_error = std::move(sink.first_error);
  return status;
}

}  // namespace oomtrace::sink
