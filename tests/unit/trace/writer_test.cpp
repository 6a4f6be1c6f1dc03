// SPDX-License-Identifier: Apache-2.0
// The trace file as its writer leaves it: sound after failures, after SIGKILL, without allocating.
#include "trace/writer.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <random>
#include <thread>

#include "support/allocation_counter.h"
#include "support/small_disk.h"
#include "support/temp_dir.h"
#include "trace/limits.h"
#include "trace/reader.h"
#include "unit/trace/trace_support.h"

namespace oomtrace::test {
namespace {

using trace::Writer;

// A line that does not compress, so that files fill quickly.
std::string random_line(std::mt19937_64& random, std::size_t size) {
  std::string line = "{\"noise\":\"";
  while (line.size() < size) line += static_cast<char>('!' + random() % 90 + 2);
  for (char& c : line) {
    if (c == '\\') c = '/';
  }
  return line + "\"}";
}

TEST(TraceWriter, thousand_small_frames_keep_the_static_context_usable) {
  std::vector<std::vector<std::string>> frames;
  for (std::uint64_t seq = 1; seq <= 1000; ++seq) frames.push_back({memory_line(seq)});
  frames.push_back(memory_lines(1001, 3000));  // more than one full frame
  const ReadBack back = read_trace(make_trace(frames));
  EXPECT_EQ(back.lines, memory_lines(1, 4000));
  EXPECT_TRUE(back.notes.empty());
}

TEST(TraceWriter, full_frame_is_closed_by_itself_and_counted) {
  const TempDir directory;
  auto writer = Writer::create(directory / "t.oomtrace");
  ASSERT_TRUE(writer);
  std::size_t raw = 0;
  for (std::uint64_t seq = 1; raw <= trace::kFrameBytes; ++seq) {
    ASSERT_TRUE((*writer)->append(memory_line(seq)));
    raw += memory_line(seq).size() + 1;
  }
  EXPECT_EQ((*writer)->stats().frames, 1U);
  EXPECT_EQ((*writer)->stats().bytes, std::filesystem::file_size(directory / "t.oomtrace"));
  EXPECT_EQ((*writer)->stats().raw_bytes + (*writer)->pending_bytes(), raw);
  ASSERT_TRUE((*writer)->close_frame());
  ASSERT_TRUE((*writer)->sync());
  EXPECT_EQ((*writer)->pending_bytes(), 0U);
  EXPECT_EQ((*writer)->stats().frames, 2U);
  ASSERT_TRUE((*writer)->close_frame());  // nothing to close
  EXPECT_EQ((*writer)->stats().frames, 2U);
}

TEST(TraceWriter, destruction_closes_the_open_frame) {
  const TempDir directory;
  {
    auto writer = Writer::create(directory / "t.oomtrace");
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->append("{\"a\":1}\n"));
  }
  EXPECT_EQ(read_trace(read_bytes(directory / "t.oomtrace")).lines, std::vector<std::string>{"{\"a\":1}"});
}

TEST(TraceWriter, lines_that_would_break_the_file_are_refused) {
  const TempDir directory;
  auto writer = Writer::create(directory / "t.oomtrace");
  ASSERT_TRUE(writer);
  EXPECT_EQ((*writer)->append("a\nb").error().sys_errno, EINVAL);
  EXPECT_EQ((*writer)->append("").error().sys_errno, EINVAL);
  EXPECT_EQ((*writer)->append("\n").error().sys_errno, EINVAL);
  EXPECT_EQ((*writer)->append(std::string(trace::kMaxLineBytes, 'x')).error().sys_errno, EMSGSIZE);
  ASSERT_TRUE((*writer)->append(std::string(trace::kMaxLineBytes - 1, 'x')));
  ASSERT_TRUE((*writer)->append("{\"a\":1}"));
  writer->reset();
  EXPECT_EQ(read_trace(read_bytes(directory / "t.oomtrace")).lines.size(), 2U);
}

TEST(TraceWriter, level_out_of_range_leaves_no_file) {
  const TempDir directory;
  for (const int level : {0, 10, -5}) {
    auto writer = Writer::create(directory / "t.oomtrace", {.level = level});
    ASSERT_FALSE(writer);
    EXPECT_EQ(writer.error().code, Errc::kUsage);
  }
  EXPECT_FALSE(std::filesystem::exists(directory / "t.oomtrace"));
  for (int level = 1; level <= 9; ++level) {
    auto writer = Writer::create(directory / std::to_string(level), {.level = level});
    ASSERT_TRUE(writer);
    for (const std::string& line : memory_lines(1, 3000)) ASSERT_TRUE((*writer)->append(line));
    ASSERT_TRUE((*writer)->close_frame());
    EXPECT_EQ(read_trace(read_bytes(directory / std::to_string(level))).lines.size(), 3000U);
  }
}

TEST(TraceWriter, nothing_allocates_after_create) {
  const TempDir directory;
  const std::vector<std::string> lines = memory_lines(1, 6000);
  auto writer = Writer::create(directory / "t.oomtrace");
  ASSERT_TRUE(writer);
  EXPECT_GT(allocations(), 0U);  // the counter counts
  NoHeap no_heap;
  bool good = true;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    good = good && (*writer)->append(lines[i]);
    if (i % 700 == 0) good = good && (*writer)->close_frame() && (*writer)->sync();
  }
  good = good && (*writer)->close_frame() && (*writer)->sync();
  EXPECT_EQ(no_heap.end(), 0U);
  EXPECT_TRUE(good);
}

// Writes until the disk is full, then makes room and goes on. `make_room` is what ends the shortage.
template <class MakeRoom>
void write_over_a_full_disk(const std::string& path, int expected_errno, MakeRoom make_room) {
  std::mt19937_64 random(7);
  auto writer = Writer::create(path);
  ASSERT_TRUE(writer) << writer.error().context;
  std::vector<std::string> taken;
  std::vector<std::string> lines;
  for (int i = 0; i < 4000; ++i) lines.push_back(random_line(random, 300));

  std::size_t next = 0;
  NoHeap no_heap;
  int failed_with = 0;
  std::size_t whole = 0;  // lines in frames that were closed without an error
  for (; next < lines.size() && failed_with == 0; ++next) {
    if (auto appended = (*writer)->append(lines[next]); !appended) {
      failed_with = appended.error().sys_errno;
      break;
    }
    if (next % 100 == 99) {
      if (auto closed = (*writer)->close_frame(); !closed) {
        failed_with = closed.error().sys_errno;
        ++next;
        break;
      }
      whole = next + 1;
    }
  }
  const bool fails_again = !(*writer)->close_frame();
  EXPECT_EQ(no_heap.end(), 0U);  // the way of an error included
  EXPECT_EQ(failed_with, expected_errno);
  EXPECT_TRUE(fails_again);
  EXPECT_GE((*writer)->stats().failed_writes, 2U);
  EXPECT_GT(whole, 0U);

  // Readable as it is, without a trace of the frame that had no room.
  const ReadBack meanwhile = read_trace(read_bytes(path));
  EXPECT_EQ(meanwhile.lines,
            std::vector<std::string>(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(whole)));
  EXPECT_TRUE(meanwhile.notes.empty());

  make_room();
  for (; next < lines.size(); ++next) ASSERT_TRUE((*writer)->append(lines[next]));
  ASSERT_TRUE((*writer)->close_frame());
  const ReadBack back = read_trace(read_bytes(path));
  EXPECT_EQ(back.lines, lines);
  EXPECT_TRUE(back.notes.empty());
}

TEST(TraceWriter, file_size_limit_is_an_error_that_can_be_retried) {
  const TempDir directory;
  const auto old_handler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  const rlimit limit{200'000, old_limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  write_over_a_full_disk(directory / "t.oomtrace", EFBIG, [&] { ::setrlimit(RLIMIT_FSIZE, &old_limit); });
  ::setrlimit(RLIMIT_FSIZE, &old_limit);
  ::signal(SIGXFSZ, old_handler);
}

TEST(TraceWriter, full_disk_is_an_error_that_can_be_retried) {
  const TempDir directory;
  const bool mounted = on_small_disk(directory.path(), "2m", [&] {
    write_bytes(directory / "filler", std::string(1'800'000, 'x'));
    write_over_a_full_disk(directory / "t.oomtrace", ENOSPC, [&] { std::filesystem::remove(directory / "filler"); });
  });
  if (!mounted) GTEST_SKIP() << "a small tmpfs cannot be mounted here (needs CAP_SYS_ADMIN)";
}

bool wait_for_bytes(const std::string& path) {
  for (int i = 0; i < 10'000; ++i) {
    std::error_code none;
    if (const auto size = std::filesystem::file_size(path, none); !none && size > 0) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

TEST(TraceWriter, sigkill_at_any_moment_leaves_a_readable_trace) {
  const TempDir directory;
  std::mt19937 random(11);
  const std::vector<std::string> lines = memory_lines(1, 20'000);
  std::size_t most = 0;
  for (int round = 0; round < 40; ++round) {
    const std::string path = directory / std::to_string(round);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto writer = Writer::create(path);
      if (!writer) ::_exit(1);
      for (std::size_t i = 0; i < lines.size(); ++i) {
        if (!(*writer)->append(lines[i])) ::_exit(2);
        if (i % 50 == 0 && !(*writer)->close_frame()) ::_exit(3);
      }
      for (;;) ::pause();
    }
    // Some die at their very start, the others once their first frame is there.
    ASSERT_TRUE(round % 4 == 0 || wait_for_bytes(path));
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 20'000));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << status;
    if (!std::filesystem::exists(path) || std::filesystem::file_size(path) == 0) continue;
    const ReadBack back = read_trace(read_bytes(path));
    ASSERT_EQ(back.error, "");
    ASSERT_LE(back.notes.size(), 1U);
    ASSERT_LE(back.lines.size(), lines.size());
    ASSERT_TRUE(std::equal(back.lines.begin(), back.lines.end(), lines.begin()));
    most = std::max(most, back.lines.size());
  }
  EXPECT_GT(most, 50U);
}

}  // namespace
}  // namespace oomtrace::test
