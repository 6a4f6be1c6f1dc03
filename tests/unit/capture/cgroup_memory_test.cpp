// SPDX-License-Identifier: Apache-2.0
// memory.stat of both versions, and a cgroup as a folder of files.
#include "capture/cgroup_memory.h"

#include <gtest/gtest.h>

#include "support/temp_dir.h"

namespace oomtrace::capture {
namespace {

class CgroupFolder : public ::testing::Test {
 protected:
  void put(const char* file, const char* text) { test::write_bytes(directory_ / file, text); }

  const test::TempDir directory_;
  const std::string& folder_ = directory_.path();
};

TEST_F(CgroupFolder, ReadsVersion2) {
  put("memory.current", "4096000\n");
  put("memory.max", "max\n");
  put("memory.swap.max", "1000\n");
  put("memory.stat", "anon 100\nfile 70\nshmem 20\nslab 5\npagetables 3\n");
  put("memory.events", "low 0\nhigh 0\nmax 4\noom 2\noom_kill 1\n");
  const auto memory = read_cgroup_memory(folder_, 2);
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->usage, 4096000U);
  EXPECT_FALSE(memory->limit);
  EXPECT_EQ(memory->swap_limit, 1000U);
  EXPECT_EQ(memory->anon, 100U);
  EXPECT_EQ(memory->file, 70U) << "as the kernel has it: with shmem";
  EXPECT_EQ(memory->shmem, 20U);
  EXPECT_EQ(memory->oom_kills, 1U);
}

TEST_F(CgroupFolder, ReadsVersion1) {
  put("memory.usage_in_bytes", "335544320\n");
  put("memory.limit_in_bytes", "335544320\n");
  put("memory.memsw.usage_in_bytes", "335545320\n");
  put("memory.memsw.limit_in_bytes", "9223372036854771712\n");
  put("memory.stat", "cache 1\nrss 2\ntotal_cache 90\ntotal_rss 300\ntotal_shmem 30\n");
  put("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n");
  const auto memory = read_cgroup_memory(folder_, 1);
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->limit, 335544320U);
  EXPECT_EQ(memory->swap_usage, 1000U);
  EXPECT_FALSE(memory->swap_limit);
  EXPECT_EQ(memory->anon, 300U);
  EXPECT_EQ(memory->file, 90U);
  EXPECT_EQ(memory->oom_kills, 7U);
}

TEST_F(CgroupFolder, KnowsWhenTheCgroupHasGone) {
  EXPECT_FALSE(read_cgroup_memory(folder_ + "/gone", 2));
  EXPECT_FALSE(read_cgroup_memory(folder_ + "/gone", 1));
}

TEST_F(CgroupFolder, TellsOneWithoutALimitFromOneThatHasGone) {
  for (const int version : {1, 2}) {
    EXPECT_EQ(find_memory_limit(folder_, version), MemoryLimit::kNone) << "without the controller";
    EXPECT_EQ(find_memory_limit(folder_ + "/gone", version), MemoryLimit::kGone);
  }
  put("memory.max", "max\n");
  put("memory.limit_in_bytes", "9223372036854771712\n");
  for (const int version : {1, 2}) EXPECT_EQ(find_memory_limit(folder_, version), MemoryLimit::kNone);
  put("memory.max", "4096\n");
  put("memory.limit_in_bytes", "4096\n");
  for (const int version : {1, 2}) EXPECT_EQ(find_memory_limit(folder_, version), MemoryLimit::kSet);
}

}  // namespace
}  // namespace oomtrace::capture
