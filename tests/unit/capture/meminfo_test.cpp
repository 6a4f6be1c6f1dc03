// SPDX-License-Identifier: Apache-2.0
// Procfs tables, whole, odd and damaged.
#include "capture/meminfo.h"

#include <gtest/gtest.h>

namespace oomtrace::capture {
namespace {

TEST(ParseMeminfo, ReadsKilobytesAsBytes) {
  SystemMemory memory;
  parse_meminfo("MemTotal:       24674064 kB\nMemFree:           12 kB\nHugePages_Total:       0\nShmem:  7 kB\n",
                memory);
  EXPECT_EQ(memory.total, 24674064ULL * 1024);
  EXPECT_EQ(memory.free, 12ULL * 1024);
  EXPECT_EQ(memory.shmem, 7ULL * 1024);
  EXPECT_FALSE(memory.available);
}

TEST(ParseMeminfo, LeavesOutWhatIsNoNumber) {
  SystemMemory memory;
  parse_meminfo(
      "MemTotal: many kB\nMemFree:\nSwapTotal: 99999999999999999999999 kB\nCached: 18446744073709551615 kB\n\n:",
      memory);
  EXPECT_FALSE(memory.total);
  EXPECT_FALSE(memory.free);
  EXPECT_FALSE(memory.swap_total);
  EXPECT_FALSE(memory.cached);
}

TEST(MemoryIsShort, CountsSwap) {
  SystemMemory memory;
  EXPECT_FALSE(capture::memory_is_short(memory)) << "not told";
  memory.total = std::uint64_t{64} << 30;
  memory.available = std::uint64_t{3} << 30;
  EXPECT_FALSE(capture::memory_is_short(memory));
  memory.available = std::uint64_t{1} << 30;
  EXPECT_TRUE(capture::memory_is_short(memory));
  memory.swap_free = std::uint64_t{1} << 30;
  EXPECT_FALSE(capture::memory_is_short(memory));
  memory.available = 0;
  EXPECT_TRUE(capture::memory_is_short(memory));
  memory.swap_free = UINT64_MAX;
  EXPECT_FALSE(capture::memory_is_short(memory));
}

TEST(ParseVmstat, TakesTheBalloonAsDifference) {
  SystemMemory memory;
  parse_vmstat("oom_kill 3\nballoon_inflate 100\nballoon_deflate 40\n", 4096, memory);
  EXPECT_EQ(memory.oom_kills, 3U);
  EXPECT_EQ(memory.balloon, 60U * 4096);
}

TEST(ParsePressure, ReadsBothLines) {
  SystemPressure pressure;
  parse_pressure(
      "some avg10=1.50 avg60=0.25 avg300=0.00 total=123456\nfull avg10=0.75 avg60=0.00 avg300=0.00 total=7\n",
      pressure);
  ASSERT_TRUE(pressure.some);
  ASSERT_TRUE(pressure.full);
  EXPECT_DOUBLE_EQ(pressure.some->avg10, 1.5);
  EXPECT_EQ(pressure.some->total_us, 123456U);
  EXPECT_DOUBLE_EQ(pressure.full->avg10, 0.75);
}

TEST(ReadSystemMemory, KnowsThisMachine) {
  const auto memory = read_system_memory();
  ASSERT_TRUE(memory);
  ASSERT_TRUE(memory->total);
  EXPECT_GT(*memory->total, 64ULL << 20);
}

}  // namespace
}  // namespace oomtrace::capture
