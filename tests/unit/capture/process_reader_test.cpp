// SPDX-License-Identifier: Apache-2.0
// Reads that do not come back hold up neither other reads nor the end.
#include "capture/process_reader.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace oomtrace::test {
namespace {

using namespace std::chrono_literals;
using capture::OwnedProcessInfo;
using capture::ProcessReader;
using capture::ProcessReads;

constexpr std::uint32_t kHangs = 1000;  // and all pids above

// Reads of some processes wait until the test lets them go. Static: a thread that was left to itself may still be
// there.
struct Gate {
  std::mutex mutex;
  std::condition_variable opened;
  bool open = false;
  int waiting = 0;

  void pass() {
    std::unique_lock lock(mutex);
    ++waiting;
    opened.wait(lock, [this] { return open; });
    --waiting;
  }
  void close() {
    const std::lock_guard lock(mutex);
    open = false;
  }
  void let_go() {
    std::unique_lock lock(mutex);
    open = true;
    opened.notify_all();
  }
  int held() {
    const std::lock_guard lock(mutex);
    return waiting;
  }
};

Gate& gate() {
  static Gate gate;
  return gate;
}

std::optional<OwnedProcessInfo> read_info(std::uint32_t pid, std::uint64_t, bool) {
  if (pid >= kHangs) gate().pass();
  OwnedProcessInfo info;
  info.pid = pid;
  return info;
}

// Each process is the child of the one before it.
std::optional<OwnedProcessInfo> read_line(std::uint32_t pid, std::uint64_t, bool) {
  OwnedProcessInfo info;
  info.pid = pid;
  info.parent_pid = pid - 1;
  return info;
}

std::optional<capture::ShmMount> no_mount(std::uint32_t) { return std::nullopt; }

bool never_short() { return false; }

// Memory as the test says it is, and the time by which its shortage is measured: a second a look.
struct Shortage {
  std::atomic<bool> now{false};
  std::atomic<int> asked{0};  // how often the reader looked
  std::atomic<int> later_s{0};
  std::atomic<int> threads_ended{0};

  void begin() {
    now = true;
    asked = later_s = threads_ended = 0;
  }
  void wait_for_looks(int least) {
    for (int seen = asked; seen < least; seen = asked) asked.wait(seen);
  }
};

Shortage& shortage() {
  static Shortage shortage;
  return shortage;
}

bool as_told() {
  struct AtThreadEnd {
    ~AtThreadEnd() { ++shortage().threads_ended; }
  };
  static thread_local AtThreadEnd at_end;
  ++shortage().asked;
  shortage().asked.notify_all();
  return shortage().now;
}

std::chrono::steady_clock::time_point told_time() {
  return std::chrono::steady_clock::time_point{} + std::chrono::seconds(shortage().asked + shortage().later_s);
}

class ProcessReaderTest : public ::testing::Test {
 protected:
  ProcessReaderTest() { gate().close(); }
  ~ProcessReaderTest() override { gate().let_go(); }

  // Whether that process is told within ten seconds.
  bool told(ProcessReader& reader, std::uint32_t pid) {
    for (int i = 0; i < 1000; ++i) {
      reader.request_mounts();
      for (const OwnedProcessInfo& info : reader.take())
        if (info.pid == pid) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

  const ProcessReads reads{read_info, no_mount, never_short};
  const ProcessReads looks{read_info, no_mount, as_told, told_time};
};

TEST_F(ProcessReaderTest, another_thread_goes_on_where_one_hangs) {
  ProcessReader reader(true, 50ms, reads);
  reader.request({kHangs, 0});
  reader.request({2, 0});
  EXPECT_TRUE(told(reader, 2));
  EXPECT_EQ(reader.stuck(), 1U);
  gate().let_go();
  EXPECT_TRUE(told(reader, kHangs)) << "late is better than never";
  reader.request({3, 0});
  EXPECT_TRUE(told(reader, 3));
  EXPECT_EQ(reader.stuck(), 1U);
}

TEST_F(ProcessReaderTest, only_so_many_may_hang) {
  ProcessReader reader(true, 20ms, reads);
  for (std::uint32_t i = 0; i < 20; ++i) reader.request({kHangs + i, 0});
  for (int i = 0; i < 50; ++i) {
    reader.request_mounts();
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_EQ(reader.stuck(), 4U);
  EXPECT_LE(gate().held(), 4);
}

TEST_F(ProcessReaderTest, parents_are_read_too_once_and_so_many) {
  ProcessReader reader(true, 1h, {read_line, no_mount, never_short});
  std::vector<std::uint32_t> pids;
  const auto read_until = [&](std::uint32_t last) {
    pids.clear();
    for (int i = 0; i < 1000 && (pids.empty() || pids.back() != last); ++i) {
      for (const OwnedProcessInfo& info : reader.take()) pids.push_back(info.pid);
      std::this_thread::sleep_for(10ms);
    }
    return pids;
  };
  using Pids = std::vector<std::uint32_t>;
  reader.request({4, 0});
  EXPECT_EQ(read_until(2), (Pids{4, 3, 2})) << "not init";
  reader.request({6, 0});
  reader.request({900, 0});
  EXPECT_EQ(read_until(892), (Pids{6, 5, 900, 899, 898, 897, 896, 895, 894, 893, 892}));
  reader.forget_parents();
  reader.request({4, 0});
  EXPECT_EQ(read_until(2), (Pids{4, 3, 2}));
}

// get_task_cmdline() keeps what a victim of the OOM killer holds from coming back while its reader waits for memory.
TEST_F(ProcessReaderTest, where_memory_is_short_nobody_is_read) {
  shortage().begin();
  ProcessReader reader(true, 30min, looks);
  reader.request({2, 0});
  shortage().wait_for_looks(3);
  EXPECT_TRUE(reader.take().empty());
  shortage().now = false;
  EXPECT_TRUE(told(reader, 2));
  EXPECT_EQ(reader.stuck(), 0U);
}

TEST_F(ProcessReaderTest, memory_that_stays_short_holds_up_only_for_a_while) {
  shortage().begin();
  ProcessReader reader(true, 5s, looks);
  reader.request({2, 0});
  EXPECT_TRUE(told(reader, 2));
  EXPECT_GE(shortage().asked, 6) << "read before its time";
  EXPECT_EQ(reader.stuck(), 0U) << "to wait for memory is not to hang";
}

TEST_F(ProcessReaderTest, what_was_short_long_ago_is_short_anew) {
  shortage().begin();
  ProcessReader reader(true, 5s, looks);
  reader.request({2, 0});
  EXPECT_TRUE(told(reader, 2));
  shortage().later_s = 3600;  // nobody looks meanwhile, whatever memory does
  const int asked = shortage().asked;
  reader.request({3, 0});
  EXPECT_TRUE(told(reader, 3));
  EXPECT_GE(shortage().asked - asked, 6) << "read at once";
}

TEST_F(ProcessReaderTest, the_end_does_not_wait_for_memory) {
  shortage().begin();
  {
    ProcessReader reader(true, 30min, looks);
    reader.request({2, 0});
    shortage().wait_for_looks(1);
  }
  EXPECT_EQ(shortage().threads_ended, 1) << "left to itself";
}

TEST_F(ProcessReaderTest, read_that_hangs_does_not_hold_up_the_end) {
  const auto begun = std::chrono::steady_clock::now();
  {
    ProcessReader reader(true, 1h, reads);
    reader.request({kHangs, 0});
    while (gate().held() == 0) std::this_thread::sleep_for(1ms);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 20s);
}

}  // namespace
}  // namespace oomtrace::test
