// SPDX-License-Identifier: Apache-2.0
// From a pushed kill line to its fdatasync: no allocation, in any thread or library, on a good disk and on a full one.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "sink/framed_sink.h"
#include "sink/stdout_sink.h"
#include "sink/writer_thread.h"
#include "support/allocation_counter.h"
#include "support/temp_dir.h"
#include "trace/reader.h"
#include "trace/writer.h"
#include "unit/sink/sink_support.h"

namespace oomtrace::test {
namespace {

using namespace sink;
using std::chrono::milliseconds;

std::vector<std::string> read_lines(const std::string& path) {
  auto reader = trace::Reader::open(path);
  EXPECT_TRUE(reader);
  std::vector<std::string> lines;
  for (auto line = (*reader)->next_line(); line && *line; line = (*reader)->next_line()) lines.emplace_back(**line);
  EXPECT_TRUE((*reader)->notes().empty());
  return lines;
}

std::vector<std::string> kill_lines() {
  std::vector<std::string> lines;
  for (int i = 0; i < 400; ++i) {
    lines.push_back("{\"event\":\"oom.candidate\",\"seq\":" + std::to_string(i) + ",\"pad\":\"" +
                    std::string(static_cast<std::size_t>(300 + i), 'x') + "\"}");
  }
  return lines;
}

// Waits without allocating for the durable flush number `count`.
bool wait_for_syncs(const WriterThread& thread, std::uint64_t count) {
  for (int i = 0; i < 5000 && thread.status().syncs < count; ++i) ::usleep(1000);
  return thread.status().syncs >= count;
}

// The start of a thread may allocate; a first durable line shows that it is behind us.
bool started(LineQueue& queue, const WriterThread& thread) {
  return queue.push("{\"event\":\"trace.start\"}", kLine | kSync) && wait_for_syncs(thread, 1);
}

TEST(NoAllocation, kill_goes_from_push_to_disk_without_a_byte_from_the_heap) {
  const TempDir directory;
  const std::string path = directory / "t.oomtrace";
  const std::vector<std::string> lines = kill_lines();
  auto queue = std::move(*LineQueue::create());
  auto null = open_fd("/dev/null", O_WRONLY);
  ASSERT_TRUE(null);
  auto stream = open_fd((directory / "stream").c_str(), O_WRONLY | O_CREAT, 0600);
  ASSERT_TRUE(stream);
  std::vector<SinkEntry> entries;
  entries.push_back({std::make_unique<FramedSink<trace::Writer>>(std::move(*trace::Writer::create(path))), false});
  entries.push_back({std::make_unique<StdoutSink>(std::move(*stream)), true});
  auto thread =
      std::move(*WriterThread::start(*queue, std::move(entries), {milliseconds(1000), milliseconds(20), null->get()}));

  ASSERT_TRUE(started(*queue, *thread));
  const std::uint64_t before = allocations();
  bool good = true;
  for (std::uint64_t round = 1; round <= 5; ++round) {
    good = good && queue->push("killed 1 (python3)", kNotice, LineClass::kKill);
    for (const std::string& line : lines) good = good && queue->push(line, kLine, LineClass::kKill);
    good = good && queue->push("{\"event\":\"oom.kill\"}", kLine | kSync, LineClass::kKill);
    good = good && wait_for_syncs(*thread, 1 + round);
  }
  const std::uint64_t after = allocations();
  EXPECT_EQ(after, before);
  EXPECT_TRUE(good);
  EXPECT_EQ(thread->status().notices, 5U);
  thread->drain_and_stop();
  EXPECT_EQ(read_lines(path).size(), 1 + 5 * (lines.size() + 1));
}

TEST(NoAllocation, full_disk_neither_allocates_nor_spoils_the_trace_nor_stops_the_stream) {
  const TempDir directory;
  const std::string path = directory / "t.oomtrace";
  const std::vector<std::string> lines = kill_lines();
  auto queue = std::move(*LineQueue::create());
  std::vector<SinkEntry> entries;
  entries.push_back({std::make_unique<FramedSink<trace::Writer>>(std::move(*trace::Writer::create(path))), false});
  auto thread = std::move(*WriterThread::start(*queue, std::move(entries), {.frame_interval = milliseconds(20)}));

  ASSERT_TRUE(started(*queue, *thread));
  const auto old_handler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  const rlimit limit{100, old_limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  const std::uint64_t before = allocations();
  bool good = true;
  for (const std::string& line : lines) good = good && queue->push(line, kLine, LineClass::kKill);
  good = good && queue->push("{\"event\":\"oom.kill\"}", kLine | kSync, LineClass::kKill);
  good = good && wait_for_syncs(*thread, 2);
  const std::uint64_t after = allocations();
  EXPECT_TRUE(good);
  EXPECT_EQ(after, before);
  EXPECT_EQ(thread->sink_status(0).last_errno, EFBIG);
  EXPECT_TRUE(thread->sink_status(0).failing);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old_limit), 0);
  ::signal(SIGXFSZ, old_handler);

  EXPECT_TRUE(eventually([&] { return !thread->sink_status(0).failing; }));
  thread->drain_and_stop();
  EXPECT_EQ(read_lines(path).size(), lines.size() + 2);
  EXPECT_EQ(thread->sink_status(0).lines_not_written, 0U);
}

}  // namespace
}  // namespace oomtrace::test
