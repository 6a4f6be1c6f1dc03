// SPDX-License-Identifier: Apache-2.0
// From a pushed kill line to its fdatasync: no allocation, in any thread or library, on a good disk and on a full one.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "sink/framed_sink.h"
#include "sink/stdout_sink.h"
#include "sink/writer_thread.h"
#include "support/allocation_counter.h"
#include "support/small_disk.h"
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
  NoHeap no_heap;
  bool good = true;
  for (std::uint64_t round = 1; round <= 5; ++round) {
    good = good && queue->push("killed 1 (python3)", kNotice, LineClass::kKill);
    for (const std::string& line : lines) good = good && queue->push(line, kLine, LineClass::kKill);
    good = good && queue->push("{\"event\":\"oom.kill\"}", kLine | kSync, LineClass::kKill);
    good = good && wait_for_syncs(*thread, 1 + round);
  }
  const std::uint64_t asked = no_heap.end();
  EXPECT_EQ(asked, 0U);
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
  NoHeap no_heap;
  bool good = true;
  for (const std::string& line : lines) good = good && queue->push(line, kLine, LineClass::kKill);
  good = good && queue->push("{\"event\":\"oom.kill\"}", kLine | kSync, LineClass::kKill);
  good = good && wait_for_syncs(*thread, 2);
  const std::uint64_t asked = no_heap.end();
  EXPECT_TRUE(good);
  EXPECT_EQ(asked, 0U);
  EXPECT_EQ(thread->sink_status(0).last_errno, EFBIG);
  EXPECT_TRUE(thread->sink_status(0).failing);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old_limit), 0);
  ::signal(SIGXFSZ, old_handler);

  EXPECT_TRUE(eventually([&] { return !thread->sink_status(0).failing; }));
  thread->drain_and_stop();
  EXPECT_EQ(read_lines(path).size(), lines.size() + 2);
  EXPECT_EQ(thread->sink_status(0).lines_not_written, 0U);
}

std::string event_line(int seq, const std::string& kind) {
  return R"({"boot_ns":1000,"seq":)" + std::to_string(seq) + R"(,"trace_id":"t","event":")" + kind + R"("})";
}

// The disk is full before the kill; what is not part of one has no room, and the trace says so.
void record_kills_on_a_full_disk(const TempDir& directory) {
  const std::string path = directory / "t.oomtrace";
  const std::vector<std::string> lines = kill_lines();
  auto queue = std::move(*LineQueue::create());
  std::vector<SinkEntry> entries;
  entries.push_back(
      {std::make_unique<FramedSink<trace::Writer>>(std::move(*trace::Writer::create(path))), false, {"disk", "full"}});
  auto thread = std::move(*WriterThread::start(*queue, std::move(entries), {.frame_interval = milliseconds(20)}));
  ASSERT_TRUE(started(*queue, *thread));
  fill_disk(directory / "filler");
  // What was held beyond the reserve goes first.
  int seq = 0;
  ASSERT_TRUE(eventually([&] {
    for (int i = 0; i < 100; ++i) queue->push(event_line(++seq, "process.exec"));
    return thread->sink_status(0).kills_only;
  }));
  ASSERT_TRUE(eventually([&] { return queue->used_bytes() == 0; }));

  const std::uint64_t refused = thread->sink_status(0).lines_not_written;
  const std::string normal = event_line(++seq, "process.exec");
  const std::string kill = event_line(++seq, "oom.kill");
  NoHeap no_heap;
  bool good = queue->push(normal);
  for (const std::string& line : lines) good = good && queue->push(line, kLine, LineClass::kKill);
  good = good && queue->push(kill, kLine | kSync, LineClass::kDecision) && wait_for_syncs(*thread, 2);
  EXPECT_EQ(no_heap.end(), 0U);
  EXPECT_TRUE(good);
  EXPECT_EQ(thread->sink_status(0).lines_not_written, refused + 1);
  EXPECT_EQ(thread->sink_status(0).kill_lines_not_written, 0U);

  // As it is on the disk now.
  std::vector<std::string> read = read_lines(path);
  ASSERT_GT(read.size(), lines.size() + 2);
  EXPECT_EQ(read.back(), kill);
  EXPECT_TRUE(std::equal(lines.begin(), lines.end(), read.end() - 1 - static_cast<std::ptrdiff_t>(lines.size())));
  const std::string& lost = *(read.end() - 2 - static_cast<std::ptrdiff_t>(lines.size()));
  EXPECT_NE(lost.find(R"("lost":{"source":"disk","count":)" + std::to_string(refused + 1) + ","), std::string::npos)
      << lost;

  // With room everything goes on; at the end the reserve is given back.
  std::filesystem::remove(directory / "filler");
  EXPECT_TRUE(eventually([&] { return !thread->sink_status(0).failing; }));
  const std::string last = event_line(++seq, "process.exec");
  queue->push(last);
  thread->drain_and_stop();
  thread.reset();
  read = read_lines(path);
  EXPECT_EQ(read.back(), last);
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_LT(status.st_blocks * 512, status.st_size + 8192);
}

TEST(NoAllocation, kills_on_a_full_disk_are_on_it_without_a_byte_from_the_heap) {
  const TempDir directory;
  if (!on_small_disk(directory.path(), "2m", [&] { record_kills_on_a_full_disk(directory); }))
    GTEST_SKIP() << "a small tmpfs cannot be mounted here (needs CAP_SYS_ADMIN)";
}

}  // namespace
}  // namespace oomtrace::test
