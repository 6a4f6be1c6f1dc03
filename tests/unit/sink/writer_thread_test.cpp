// SPDX-License-Identifier: Apache-2.0
// What the writer thread does with lines, wishes and failing sinks.
#include "sink/writer_thread.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "sink/stdout_sink.h"
#include "unit/sink/sink_support.h"

namespace oomtrace::test {
namespace {

using namespace sink;
using std::chrono::milliseconds;
using Lines = std::vector<std::string>;

// A queue, a thread and recording sinks; short intervals, so that tests need not wait.
struct Rig {
  explicit Rig(std::size_t sinks = 1, WriterThreadOptions options = {.frame_interval = milliseconds(20)})
      : states(sinks) {
    queue = std::move(*LineQueue::create({.wake_bytes = 0}));
    std::vector<SinkEntry> entries;
    for (auto& state : states) entries.push_back({std::make_unique<RecordingSink>(state), false});
    thread = std::move(*WriterThread::start(*queue, std::move(entries), options));
  }

  std::vector<RecordingSink::State> states;
  std::unique_ptr<LineQueue> queue;
  std::unique_ptr<WriterThread> thread;
};

TEST(WriterThread, every_sink_gets_every_line_in_order) {
  Rig rig(2);
  Lines lines;
  for (int i = 0; i < 1000; ++i) {
    lines.push_back("line " + std::to_string(i));
    ASSERT_TRUE(rig.queue->push(lines.back()));
  }
  rig.thread->drain_and_stop();
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(rig.states[i].lines(), lines);
    EXPECT_EQ(rig.states[i].log.back(), "<sync>");  // the end is durable
    EXPECT_EQ(rig.thread->sink_status(i).lines, 1000U);
    EXPECT_EQ(rig.thread->sink_status(i).lines_not_written, 0U);
  }
}

TEST(WriterThread, frames_are_closed_by_time_and_only_where_something_is_in_them) {
  Rig rig;
  rig.queue->push("a");
  EXPECT_TRUE(eventually([&] { return rig.states[0].count("<flush>") == 1; }));
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_EQ(rig.states[0].count("<flush>"), 1U);
  rig.queue->push("b");
  EXPECT_TRUE(eventually([&] { return rig.states[0].count("<flush>") == 2; }));
  EXPECT_EQ(rig.states[0].count("<sync>"), 0U);
}

TEST(WriterThread, kill_is_durable_at_once_and_a_burst_of_kills_shares_its_sync) {
  Rig rig(1, {.frame_interval = std::chrono::hours(1)});
  rig.queue->push("kill", kLine | kSync, LineClass::kKill);
  EXPECT_TRUE(eventually([&] { return rig.states[0].count("<sync>") == 1; }));
  rig.states[0].flush_takes = milliseconds(30);
  for (int i = 0; i < 100; ++i) rig.queue->push("kill", kLine | kSync, LineClass::kKill);
  EXPECT_TRUE(eventually([&] { return rig.states[0].lines().size() == 101; }));
  rig.thread->drain_and_stop();
  EXPECT_LT(rig.states[0].count("<sync>"), 20U);
  EXPECT_EQ(rig.states[0].log.back(), "<sync>");
  EXPECT_GE(rig.thread->status().syncs, 2U);
}

TEST(WriterThread, flush_flag_closes_the_frame_without_a_sync) {
  Rig rig(1, {.frame_interval = std::chrono::hours(1)});
  rig.queue->push("a", kLine | kFlush);
  EXPECT_TRUE(eventually([&] { return rig.states[0].count("<flush>") == 1; }));
  EXPECT_EQ(rig.states[0].count("<sync>"), 0U);
}

TEST(WriterThread, idle_flush_hands_on_each_line_at_once) {
  auto queue = std::move(*LineQueue::create({.wake_bytes = 0}));
  RecordingSink::State state;
  std::vector<SinkEntry> entries;
  entries.push_back({std::make_unique<RecordingSink>(state), true});
  auto thread = std::move(*WriterThread::start(*queue, std::move(entries), {.frame_interval = std::chrono::hours(1)}));
  queue->push("a");
  EXPECT_TRUE(eventually([&] { return state.count("<flush>") == 1; }));
}

TEST(WriterThread, notice_is_on_the_terminal_before_the_line_is_in_a_sink) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  const Fd far(ends[0]);
  const Fd near(ends[1]);
  // The sink looks at the terminal when the line comes.
  struct Looker final : LineSink {
    Looker(int terminal, std::string& seen) : terminal_(terminal), seen_(seen) {}
    Result<void> write(std::string_view) override {
      char text[100];
      const ssize_t got = ::read(terminal_, text, sizeof(text));
      seen_.assign(text, got > 0 ? static_cast<std::size_t>(got) : 0);
      return {};
    }
    Result<void> flush(bool) override { return {}; }
    int terminal_;
    std::string& seen_;
  };
  std::string seen;
  auto queue = std::move(*LineQueue::create({}));
  std::vector<SinkEntry> entries;
  entries.push_back({std::make_unique<Looker>(far.get(), seen), false});
  auto thread = std::move(*WriterThread::start(*queue, std::move(entries), {.notice_fd = near.get()}));
  queue->push("killed 4242 (python3)", kNotice, LineClass::kKill);
  queue->push("{\"event\":\"oom.kill\"}", kLine | kSync, LineClass::kKill);
  thread->drain_and_stop();
  EXPECT_EQ(seen, "killed 4242 (python3)\n");
  EXPECT_EQ(thread->status().notices, 1U);
}

TEST(WriterThread, stopped_terminal_does_not_keep_a_kill_from_the_disk) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);  // blocking, and nobody reads
  const Fd far(ends[0]);
  const Fd near(ends[1]);
  ASSERT_EQ(::fcntl(near.get(), F_SETPIPE_SZ, 4096), 4096);
  ASSERT_EQ(::write(near.get(), std::string(4096, 'x').data(), 4096), 4096);
  Rig rig(1, {.frame_interval = std::chrono::hours(1), .notice_fd = near.get()});
  rig.queue->push("killed", kNotice, LineClass::kKill);
  rig.queue->push("kill", kLine | kSync, LineClass::kKill);
  EXPECT_TRUE(eventually([&] { return rig.states[0].count("<sync>") == 1; }));
  EXPECT_EQ(rig.thread->status().notices_dropped, 1U);
}

TEST(WriterThread, failing_sink_keeps_its_first_error_counts_and_recovers_while_the_other_goes_on) {
  Rig rig(2);
  rig.states[0].fail_with(ENOSPC, ENOSPC);
  for (int i = 0; i < 10; ++i) rig.queue->push("lost");
  EXPECT_TRUE(eventually([&] { return rig.thread->sink_status(0).lines_not_written == 10; }));
  EXPECT_TRUE(rig.thread->sink_status(0).failing);
  EXPECT_EQ(rig.thread->sink_status(0).last_errno, ENOSPC);
  EXPECT_TRUE(eventually([&] { return rig.thread->sink_status(0).errors >= 3; }));  // tried again
  rig.states[0].fail_with(EIO, EIO);
  EXPECT_TRUE(eventually([&] { return rig.thread->sink_status(0).last_errno == EIO; }));
  ASSERT_TRUE(rig.thread->sink_status(0).first_error);
  EXPECT_EQ(rig.thread->sink_status(0).first_error->sys_errno, ENOSPC);

  rig.states[0].fail_with(0, 0);
  EXPECT_TRUE(eventually([&] { return !rig.thread->sink_status(0).failing; }));
  rig.queue->push("kept");
  rig.thread->drain_and_stop();
  EXPECT_EQ(rig.states[0].lines(), Lines{"kept"});
  EXPECT_EQ(rig.states[1].lines().size(), 11U);
  EXPECT_EQ(rig.thread->sink_status(0).lines_not_written, 10U);
  EXPECT_EQ(rig.thread->sink_status(1).errors, 0U);
}

TEST(WriterThread, failed_sync_is_made_up_for) {
  Rig rig;
  rig.states[0].fail_with(0, EIO);
  rig.queue->push("kill", kLine | kSync, LineClass::kKill);
  EXPECT_TRUE(eventually([&] { return rig.thread->sink_status(0).errors > 0; }));
  rig.states[0].fail_with(0, 0);
  EXPECT_TRUE(eventually([&] { return rig.states[0].count("<sync>") == 1; }));
  EXPECT_EQ(rig.states[0].count("<flush>"), 0U);
}

TEST(WriterThread, lines_that_never_left_a_sink_are_counted_at_the_end) {
  Rig rig;
  rig.states[0].fail_with(0, ENOSPC);
  for (int i = 0; i < 7; ++i) rig.queue->push("stuck");
  rig.thread->drain_and_stop();
  EXPECT_EQ(rig.thread->sink_status(0).lines, 0U);
  EXPECT_EQ(rig.thread->sink_status(0).lines_not_written, 7U);
}

TEST(WriterThread, refused_line_does_not_suspend_the_sink) {
  Rig rig(1, {.frame_interval = std::chrono::hours(1)});
  rig.states[0].fail_with(EMSGSIZE, 0);
  rig.queue->push("too long");
  EXPECT_TRUE(eventually([&] { return rig.thread->sink_status(0).lines_not_written == 1; }));
  rig.states[0].fail_with(0, 0);
  rig.queue->push("fine");
  rig.thread->drain_and_stop();
  EXPECT_EQ(rig.states[0].lines(), Lines{"fine"});
  EXPECT_FALSE(rig.thread->sink_status(0).failing);
}

std::string event_line(int seq) {
  return R"({"boot_ns":)" + std::to_string(1000 + seq) + R"(,"seq":)" + std::to_string(seq) +
         R"(,"trace_id":"0123456789abcdef0123456789abcdef","event":"oom.reaped","process":{"pid":7,"comm":"x"}})";
}

TEST(WriterThread, stream_is_told_which_lines_it_refused_before_it_gets_others) {
  RecordingSink::State state;
  auto queue = std::move(*LineQueue::create({.wake_bytes = 0}));
  std::vector<SinkEntry> entries;
  entries.push_back({std::make_unique<RecordingSink>(state), true, {"stream", "gone"}});
  auto thread = std::move(*WriterThread::start(*queue, std::move(entries), {.frame_interval = milliseconds(20)}));
  state.fail_with(ENOTCONN, ENOTCONN);
  for (int seq = 1; seq <= 5; ++seq) queue->push(event_line(seq));
  EXPECT_TRUE(eventually([&] { return thread->sink_status(0).lines_not_written == 5; }));
  state.fail_with(0, 0);
  EXPECT_TRUE(eventually([&] { return !thread->sink_status(0).failing; }));
  queue->push(event_line(6));
  thread->drain_and_stop();
  const Lines lines = state.lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_NE(lines[0].find(R"("seq":5,)"), std::string::npos) << lines[0];
  EXPECT_NE(lines[0].find(R"("event":"trace.lost")"), std::string::npos) << lines[0];
  EXPECT_NE(lines[0].find(R"("source":"stream","count":5)"), std::string::npos) << lines[0];
  EXPECT_EQ(lines[1], event_line(6));
}

std::string loss_line(int seq, int count) {
  std::string line = event_line(seq);
  line.resize(line.find("oom.reaped"));
  return line + R"(trace.lost","trace":{"lost":{"source":"disk","count":)" + std::to_string(count) +
         R"(,"detail":"full"}}})";
}

TEST(WriterThread, sink_with_room_for_kills_alone_gets_them_and_is_told_what_it_missed) {
  RecordingSink::State state;
  state.kills_only = true;
  auto queue = std::move(*LineQueue::create({.wake_bytes = 0}));
  std::vector<SinkEntry> entries;
  entries.push_back({std::make_unique<RecordingSink>(state), false, {"disk", "full"}});
  auto thread = std::move(*WriterThread::start(*queue, std::move(entries), {.frame_interval = milliseconds(20)}));
  const auto normal = [&](int seq) { queue->push(event_line(seq)); };
  for (int seq = 1; seq <= 4; ++seq) normal(seq);
  EXPECT_TRUE(eventually([&] { return thread->sink_status(0).lines_not_written == 4; }));
  EXPECT_TRUE(thread->sink_status(0).failing);
  EXPECT_TRUE(thread->sink_status(0).kills_only);
  EXPECT_EQ(thread->sink_status(0).last_errno, ENOSPC);
  // A kill with its candidates, between others.
  queue->push(event_line(5), kLine, LineClass::kKill);
  normal(6);
  queue->push(event_line(7), kLine, LineClass::kDecision);
  normal(8);
  queue->push(event_line(9), kLine | kSync, LineClass::kKill);
  EXPECT_TRUE(eventually([&] { return state.count("<sync>") == 1; }));
  normal(10);
  EXPECT_TRUE(eventually([&] { return thread->sink_status(0).lines_not_written == 7; }));
  std::this_thread::sleep_for(milliseconds(60));
  EXPECT_EQ(state.lines(),
            (Lines{loss_line(4, 4), event_line(5), loss_line(6, 1), event_line(7), loss_line(8, 1), event_line(9)}));
  EXPECT_EQ(thread->sink_status(0).errors, 1U);  // one shortage, however often it was looked at

  // Tried again without a line that asks for it.
  state.take_kills_only(false);
  EXPECT_TRUE(eventually([&] { return !thread->sink_status(0).failing; }));
  EXPECT_FALSE(thread->sink_status(0).kills_only);
  EXPECT_TRUE(eventually([&] { return state.lines().size() == 7; }));
  normal(11);
  thread->drain_and_stop();
  EXPECT_EQ(state.lines().at(6), loss_line(10, 1));
  EXPECT_EQ(state.lines().back(), event_line(11));
  EXPECT_EQ(thread->sink_status(0).lines_not_written, 7U);
  EXPECT_EQ(thread->sink_status(0).kill_lines_not_written, 0U);
}

TEST(WriterThread, lost_lines_of_kills_are_counted_apart) {
  Rig rig;
  rig.states[0].fail_with(ENOSPC, ENOSPC);
  rig.queue->push("normal");
  rig.queue->push("kill", kLine | kSync, LineClass::kDecision);
  EXPECT_TRUE(eventually([&] { return rig.thread->sink_status(0).lines_not_written == 2; }));
  EXPECT_EQ(rig.thread->sink_status(0).kill_lines_not_written, 1U);
  EXPECT_FALSE(rig.thread->sink_status(0).kills_only);
}

TEST(WriterThread, reopen_reaches_every_sink) {
  struct Reopened final : LineSink {
    explicit Reopened(std::atomic<int>& count) : count_(count) {}
    Result<void> write(std::string_view) override { return {}; }
    Result<void> flush(bool) override { return {}; }
    void reopen() noexcept override { ++count_; }
    std::atomic<int>& count_;
  };
  std::atomic<int> count{0};
  auto queue = std::move(*LineQueue::create({}));
  std::vector<SinkEntry> entries;
  for (int i = 0; i < 2; ++i) entries.push_back({std::make_unique<Reopened>(count)});
  auto thread = std::move(*WriterThread::start(*queue, std::move(entries)));
  thread->reopen_sinks();
  EXPECT_EQ(count, 2);
}

TEST(WriterThread, ended_sink_is_left_alone) {
  Rig rig(2);
  rig.states[0].fail_with(EPIPE, EPIPE, true);
  rig.queue->push("a");
  EXPECT_TRUE(eventually([&] { return rig.thread->sink_status(0).ended; }));
  EXPECT_FALSE(rig.thread->all_sinks_ended());
  const std::uint64_t errors = rig.thread->sink_status(0).errors;
  rig.queue->push("b", kLine | kSync);
  rig.thread->drain_and_stop();
  EXPECT_EQ(rig.thread->sink_status(0).errors, errors);
  EXPECT_EQ(rig.thread->sink_status(0).lines_not_written, 2U);
  EXPECT_EQ(rig.states[1].lines(), (Lines{"a", "b"}));
}

TEST(WriterThread, stop_does_not_wait_for_a_reader_who_does_not_read) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd far(ends[0]);
  auto queue = std::move(*LineQueue::create({}));
  std::vector<SinkEntry> entries;
  entries.push_back({std::make_unique<StdoutSink>(Fd(ends[1])), true});
  auto thread = std::move(*WriterThread::start(*queue, std::move(entries)));
  const std::string line(1000, 'x');
  for (int i = 0; i < 1000; ++i) queue->push(line);
  const auto start = std::chrono::steady_clock::now();
  thread->drain_and_stop(milliseconds(100));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(4));
  const SinkStatus status = thread->sink_status(0);
  EXPECT_GT(status.lines_not_written, 0U);
  EXPECT_EQ(status.lines + status.lines_not_written, 1000U);
}

TEST(WriterThread, signals_are_blocked_in_the_thread_and_left_alone_outside) {
  struct Masked final : LineSink {
    explicit Masked(sigset_t& mask) : mask_(mask) {}
    Result<void> write(std::string_view) override {
      ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_);
      return {};
    }
    Result<void> flush(bool) override { return {}; }
    sigset_t& mask_;
  };
  sigset_t inside;
  ::sigemptyset(&inside);
  sigset_t before;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
  auto queue = std::move(*LineQueue::create({}));
  std::vector<SinkEntry> entries;
  entries.push_back({std::make_unique<Masked>(inside), false});
  auto thread = std::move(*WriterThread::start(*queue, std::move(entries)));
  sigset_t outside;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &outside);
  queue->push("a");
  thread->drain_and_stop();
  for (const int signal : {SIGTERM, SIGINT, SIGCHLD, SIGUSR1}) {
    EXPECT_EQ(::sigismember(&inside, signal), 1);
    EXPECT_EQ(::sigismember(&outside, signal), ::sigismember(&before, signal));
  }
}

}  // namespace
}  // namespace oomtrace::test
