// SPDX-License-Identifier: Apache-2.0
// record_without_heap FILE STREAM: a recorder put together as `oomtrace record --stream` is, which has no heap from the
// moment a kill's record wakes it until the kill is durable; but its reader of /proc, which has no part in that, has
// one. Says "recording", then a line for each kill, and ends with its standard input:
//   kill ASKED COMPLETE DURABLE   allocations asked for meanwhile; whether one look told all of it; whether it is on
//   disk
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "capture/session.h"
#include "cli/event_output.h"
#include "sink/framed_sink.h"
#include "sink/line_queue.h"
#include "sink/stream.h"
#include "sink/writer_thread.h"
#include "support/allocation_counter.h"
#include "trace/writer.h"

namespace oomtrace::test {
namespace {

using std::chrono::milliseconds;

constexpr int kLookEveryMs = 50, kLooksPerSecond = 20;  // as the recorder's own loop, cli/record_loop.cpp

// The threads between a kill and the disk: the one that reads the rings, and those that write.
bool on_the_way() {
  char name[16] = {};
  return gettid() == getpid() || (prctl(PR_GET_NAME, name) == 0 && std::strcmp(name, "oomtrace-writer") == 0);
}

// Gives on to the recorder's output, and gives the heap back once a kill is on the disk.
class KillWatch final : public capture::EventHandler {
 public:
  explicit KillWatch(cli::EventOutput& output) : output_(output) {}

  void watch(const sink::WriterThread& writer) { writer_ = &writer; }

  void on_event(const Event& event) override { output_.on_event(event); }
  std::uint64_t not_kept() const override { return output_.not_kept(); }

  void on_kill_begin() override {
    if (!no_heap_) no_heap_.emplace(on_the_way);
  }

  void on_kill_complete() override {
    const std::uint64_t before = writer_->status().syncs;
    output_.on_kill_complete();
    if (!no_heap_) return;  // made durable with the one before
    const bool durable = wait_for_syncs(before + 1);
    const std::uint64_t asked = no_heap_->end();
    no_heap_.reset();
    std::printf("kill %llu %d %d\n", static_cast<unsigned long long>(asked), durable ? 1 : 0, woken_ ? 1 : 0);
    std::fflush(stdout);
  }

  void woken(bool woken) { woken_ = woken; }

 private:
  bool wait_for_syncs(std::uint64_t count) const {
    for (int i = 0; i < 5000 && writer_->status().syncs < count; ++i) ::usleep(1000);
    return writer_->status().syncs >= count;
  }

  cli::EventOutput& output_;
  const sink::WriterThread* writer_ = nullptr;
  std::optional<NoHeap> no_heap_;
  bool woken_ = false;
};

int fail(const Error& error) {
  std::fprintf(stderr, "%s: %s\n", error.context.c_str(), std::strerror(error.sys_errno));
  return 1;
}

int record(const char* path, const char* stream_path) {
  auto file = trace::Writer::create(path);
  if (!file) return fail(file.error());
  std::vector<sink::SinkEntry> sinks;
  sinks.push_back({std::make_unique<sink::FramedSink<trace::Writer>>(*std::move(file)), false, {"disk", "no room"}});
  auto queue = sink::LineQueue::create();
  auto all = sink::EventFilter::create({});
  sink::StreamOptions stream_options;
  stream_options.target = stream_path;
  auto stream = sink::Stream::open(stream_options);
  if (!queue || !all || !stream) return fail(!queue ? queue.error() : !all ? all.error() : stream.error());
  cli::EventOutput output(queue->get(), *std::move(all), {stream->get()});
  KillWatch watch(output);
  auto session = capture::Session::open({}, watch);
  if (!session) return fail(session.error());
  sink::WriterThreadOptions writer_options;
  writer_options.notice_fd = STDERR_FILENO;
  auto writer = sink::WriterThread::start(**queue, std::move(sinks), writer_options);
  if (!writer) return fail(writer.error());
  watch.watch(**writer);
  if (auto started = (*stream)->start(); !started) return fail(started.error());
  (*session)->start({});
  std::puts("recording");
  std::fflush(stdout);

  pollfd wakers[] = {{(*session)->epoll_fd(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
  for (int looks = 1; wakers[1].revents == 0; ++looks) {
    poll(wakers, 2, kLookEveryMs);
    watch.woken(wakers[0].revents != 0);
    (*session)->service();
    if (looks % kLooksPerSecond == 0) (*session)->sample();
  }
  (*session)->stop("signal", std::nullopt);
  (*writer)->drain_and_stop();
  (*stream)->stop();
  return 0;
}

}  // namespace
}  // namespace oomtrace::test

int main(int count, char** words) {
  if (count != 3) {
    std::fputs("usage: record_without_heap FILE STREAM\n", stderr);
    return 2;
  }
  return oomtrace::test::record(words[1], words[2]);
}
