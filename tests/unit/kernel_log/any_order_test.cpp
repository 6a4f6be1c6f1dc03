// SPDX-License-Identifier: Apache-2.0
// The OOM killer's lines in any order, as lost and interleaved lines leave them: no crash, no event that breaks its own
// rules, and every killed process is in the report. Worth the most under the sanitizers.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "event_collector.h"
#include "mutate.h"
#include "sound_log.h"

namespace oomtrace::kernel_log {
namespace {

struct Line {
  const char* text;
  std::uint32_t killed = 0;  // the pid that it says was killed
};

// One of each kind, of Linux 2.4 to 7.3 (mm/oom_kill.c, mm/memcontrol.c).
constexpr std::array kLines{
    Line{"python3 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"},
    Line{"CPU: 1 UID: 0 PID: 10 Comm: python3 Not tainted 6.12.1 #1"},
    Line{"Call Trace:"},
    Line{" dump_stack_lvl+0x5d/0x80"},
    Line{"Mem-Info:"},
    Line{"active_anon:1 inactive_anon:2 isolated_anon:0"},
    Line{"Node 0 DMA free:1kB boost:0kB min:2kB low:3kB high:4kB present:5kB managed:4kB"},
    Line{"Total swap = 0kB"},
    Line{"memory: usage 102400kB, limit 102400kB, failcnt 3"},
    Line{"Memory cgroup stats for /a:"},
    Line{"anon 4096"},
    Line{"Memory cgroup stats for /a/b: cache:0KB rss:4KB"},
    Line{"Tasks state (memory values in pages):"},
    Line{"[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name"},
    Line{"[     10]     0    10     4567      890    45056        0             0 python3"},
    Line{"[     11]     0    11     4567      890    45056        0             0 b"},
    Line{"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a/b,"
         "task=python3,pid=10,uid=0"},
    Line{"oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=b,"
         "pid=11,uid=0"},
    Line{"Task in /a/b killed as a result of limit of /a"},
    Line{"Out of memory: Kill process 10 (python3) score 900 or sacrifice child"},
    Line{"Killed process 10 (python3) total-vm:800kB, anon-rss:400kB, file-rss:4kB", 10},
    Line{"Memory cgroup out of memory: Killed process 10 (python3) total-vm:800kB, anon-rss:400kB, file-rss:4kB, "
         "shmem-rss:0kB, UID:0 pgtables:40kB oom_score_adj:0",
         10},
    Line{"Out of memory: Killed process 11 (b) total-vm:800kB, anon-rss:400kB, file-rss:4kB, shmem-rss:0kB, UID:0 "
         "pgtables:40kB oom_score_adj:0",
         11},
    Line{"Out of Memory: Killed process 12 (c).", 12},
    Line{"Out of Memory: Killed process 13 (c).", 13},
    Line{"Kill process 14 (d) sharing same memory"},
    Line{"Memory cgroup out of memory: OOM victim 15 (e) is already exiting. Skip killing the task"},
    Line{"Tasks in /a are going to be killed due to memory.oom.group set"},
    Line{"oom_reaper: reaped process 10 (python3), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB"},
    Line{"Out of memory and no killable processes..."},
    Line{"Kernel panic - not syncing: System is deadlocked on memory"},
    Line{"sysrq: Manual OOM execution"},
    Line{"Linux version 6.12.1 (root@box) (gcc) #1 SMP"},
    Line{"eth0: link up"},
};

// `with_times`: each line a second behind the one before.
void expect_any_order_told(const std::vector<std::size_t>& order, bool with_times) {
  std::string text;
  std::set<std::uint32_t> killed, told;
  double seconds = 1;
  for (const std::size_t at : order) {
    if (with_times) {
      std::array<char, 32> stamp;
      std::snprintf(stamp.data(), stamp.size(), "[%12.6f] ", seconds++);
      text += stamp.data();
    }
    text.append(kLines.at(at).text).append("\n");
    if (kLines.at(at).killed != 0) killed.insert(kLines.at(at).killed);
  }
  const EventCollector log = collect(text);
  ASSERT_NO_FATAL_FAILURE(expect_sound(log, text, 0));
  for (const CollectedIncident& incident : log.incidents) {
    for (const OomKill& kill : incident.kills) told.insert(kill.victim.pid);
  }
  for (const std::uint32_t pid : killed) ASSERT_TRUE(told.contains(pid)) << pid << " was killed:\n" << text;
}

TEST(AnyOrder, of_three_lines_is_told) {
  for (std::size_t a = 0; a < kLines.size(); ++a) {
    for (std::size_t b = 0; b < kLines.size(); ++b) {
      for (std::size_t c = 0; c < kLines.size(); ++c)
        ASSERT_NO_FATAL_FAILURE(expect_any_order_told({a, b, c}, (a + b + c) % 2 == 0));
    }
  }
}

TEST(AnyOrder, of_many_lines_is_told) {
  for (unsigned seed = 0; seed < 6'000; ++seed) {
    Random random(seed);
    std::vector<std::size_t> order(4 + below(random, 20));
    for (std::size_t& at : order) at = below(random, kLines.size());
    ASSERT_NO_FATAL_FAILURE(expect_any_order_told(order, seed % 2 == 0)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace oomtrace::kernel_log
