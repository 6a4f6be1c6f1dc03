// SPDX-License-Identifier: Apache-2.0
// What the kernel's log in a recording tells of kills that the recording itself has not: by its clock, in its pages.
#include "cli/kernel_log_join.h"

#include <gtest/gtest.h>

#include "support/event_builder.h"

namespace oomtrace::cli {
namespace {

constexpr std::uint32_t kPage = 65536;

// Of so small a process that no figure gives the page size away.
constexpr const char* kReport[] = {
    "python3 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
    "memory: usage 640kB, limit 640kB, failcnt 10",
    "Tasks state (memory values in pages):",
    "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
    "[   4711]     0  4711       10        8    65536        0             0 python3",
    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/job,task_memcg=/job,"
    "task=python3,pid=4711,uid=0",
    "Memory cgroup out of memory: Killed process 4711 (python3) total-vm:640kB, anon-rss:512kB, file-rss:0kB, "
    "shmem-rss:0kB, UID:0 pgtables:64kB oom_score_adj:0",
};

struct KernelLogJoinTest : ::testing::Test {
  std::vector<std::int64_t> kill_walls;
  Opt<std::int64_t> candidate_rss;
  const std::function<void(const Event&)> take = [this](const Event& event) {
    if (std::holds_alternative<OomKill>(event.payload)) kill_walls.push_back(event.wall_ns);
    if (const auto* row = std::get_if<OomCandidate>(&event.payload)) candidate_rss = row->rss;
  };
  KernelLogJoin join{take};
  test::EventStream events{[this](const Event& event) { join.take(event); }};

  void log(double at_s) { log(events, at_s); }
  static void log(test::EventStream& into, double at_s) {
    std::uint64_t number = 0;
    for (const char* line : kReport) {
      KernelLog record;
      record.message = line;
      record.kmsg_seq = ++number;
      record.timestamp_us = static_cast<std::uint64_t>(at_s * 1e6);
      into.at(at_s + 0.05).emit(record);
    }
  }
};

TEST_F(KernelLogJoinTest, pages_are_those_of_the_machine_that_recorded) {
  events.set_machine(test::kWallOffset, kPage);
  events.at(1).start();
  log(10);
  join.finish();
  EXPECT_EQ(candidate_rss, 8 * std::int64_t{kPage});
}

TEST_F(KernelLogJoinTest, pages_that_no_machine_has_are_not_known) {
  for (const std::uint32_t bytes : {1U, 512U, 1023U, 5000U, 1U << 31}) {
    candidate_rss = 0;
    KernelLogJoin with_these(take);
    test::EventStream told{[&](const Event& event) { with_these.take(event); }};
    told.set_machine(test::kWallOffset, bytes);
    told.at(1).start();
    log(told, 10);
    with_these.finish();
    EXPECT_EQ(candidate_rss, std::nullopt) << bytes;
  }
}

TEST_F(KernelLogJoinTest, times_are_those_that_the_clock_showed_then) {
  events.at(1).start();
  log(10);
  events.at(20).set_clock(-6 * 3600);
  join.finish();
  ASSERT_EQ(kill_walls.size(), 1U);
  EXPECT_EQ(kill_walls[0], test::kWallOffset + static_cast<std::int64_t>(test::seconds(10)));
}

}  // namespace
}  // namespace oomtrace::cli
