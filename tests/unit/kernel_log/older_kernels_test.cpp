// SPDX-License-Identifier: Apache-2.0
// Report forms from 2.4 to 5.6 that the recordings do not have, written after the kernels' own format strings with
// made-up values.
#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "event_collector.h"

namespace oomtrace::kernel_log {
namespace {

// The log's one incident, whose strings live as long as the program.
CollectedIncident only(const std::string& text) {
  static std::deque<EventCollector> logs;
  const EventCollector& log = logs.emplace_back(collect(text));
  EXPECT_EQ(log.incidents.size(), 1U) << text;
  return log.incidents.empty() ? CollectedIncident{.kills = {OomKill{}}} : log.incidents.front();
}

TEST(OlderKernels, linux_2_4_names_every_thread_of_the_victim) {
  const CollectedIncident incident = only(
      "Sep  1 10:00:00 box kernel: __alloc_pages: 0-order allocation failed (gfp=0x1d2/0)\n"
      "Sep  1 10:00:00 box kernel: Out of Memory: Killed process 613 (mozilla-bin).\n"
      "Sep  1 10:00:00 box kernel: Out of Memory: Killed process 614 (mozilla-bin).\n"
      "Sep  1 10:00:00 box kernel: Out of Memory: Killed process 613 (mozilla-bin).\n");
  ASSERT_EQ(incident.kills.size(), 2U);
  EXPECT_EQ(incident.kills[0].victim.pid, 613U);
  EXPECT_EQ(incident.kills[0].victim.comm, "mozilla-bin");
  EXPECT_EQ(incident.kills[0].decision.domain, DomainKind::kGlobal);
  EXPECT_FALSE(incident.kills[0].memory);
  EXPECT_TRUE(incident.kills[1].group_member);
}

TEST(OlderKernels, a_kill_behind_no_killable_processes_is_of_its_own) {
  const EventCollector log = collect(
      "Out of memory and no killable processes...\n"
      "Out of Memory: Killed process 613 (mozilla-bin).\n");
  ASSERT_EQ(log.incidents.size(), 2U);
  EXPECT_EQ(log.incidents[0].kills[0].no_victim, "no_killable_process");
  ASSERT_EQ(log.incidents[1].kills.size(), 1U);
  EXPECT_EQ(log.incidents[1].kills[0].victim.pid, 613U);
  EXPECT_FALSE(log.incidents[1].kills[0].group_member);
}

TEST(OlderKernels, linux_2_6_13_has_no_name_before_oom_killer) {
  const CollectedIncident incident = only(
      "oom-killer: gfp_mask=0x201d2, order=0\n"
      "Mem-info:\n"
      "DMA per-cpu:\n"
      "cpu 0 hot: low 2, high 6, batch 1 used:5\n"
      "Free pages:        4132kB (0kB HighMem)\n"
      "Active:30100 inactive:29000 dirty:0 writeback:0 unstable:0 free:1033 slab:2350 mapped:58000 pagetables:700\n"
      "Free swap:            0kB\n"
      "65536 pages of RAM\n"
      "1300 reserved pages\n"
      "Out of Memory: Killed process 4242 (httpd).\n");
  const OomKill& kill = incident.kills[0];
  EXPECT_EQ(kill.decision.gfp_mask, 0x201d2U);
  EXPECT_EQ(kill.decision.order, 0);
  EXPECT_TRUE(kill.decision.trigger.comm.empty());
  EXPECT_EQ(kill.victim.pid, 4242U);
  EXPECT_EQ(kill.victim.comm, "httpd");
  ASSERT_EQ(incident.memory.size(), 1U);
  EXPECT_EQ(incident.memory[0].swap_free, 0U);
  EXPECT_FALSE(incident.memory[0].free);  // pages of an unknown size
}

TEST(OlderKernels, rhel5_prints_the_uid_between_pid_and_name) {
  const CollectedIncident incident = only(
      "java invoked oom-killer: gfp_mask=0x200d2, order=0, oomkilladj=0\n"
      "\n"
      "Call Trace:\n"
      " [<ffffffff800c96fe>] out_of_memory+0x8e/0x2f3\n"
      " [<ffffffff8000f64f>] __alloc_pages+0x27f/0x308\n"
      "Out of memory: Killed process 20823, UID 501, (java).\n");
  const OomKill& kill = incident.kills[0];
  EXPECT_EQ(kill.decision.trigger.comm, "java");
  EXPECT_EQ(kill.victim.pid, 20823U);
  EXPECT_EQ(kill.victim.comm, "java");
  EXPECT_EQ(kill.uid, 501U);
  ASSERT_EQ(kill.decision.stack.size(), 2U);
  EXPECT_EQ(kill.decision.stack[0], "out_of_memory");
  EXPECT_FALSE(kill.decision.trigger_oom_score_adj);
}

TEST(OlderKernels, a_child_dies_for_its_parent) {
  const CollectedIncident incident = only(
      "make invoked oom-killer: gfp_mask=0x280da, order=0, oom_adj=0\n"
      "make cpuset=/ mems_allowed=0\n"
      "Pid: 900, comm: make Not tainted 2.6.32.27 #1\n"
      "[ pid ]   uid  tgid total_vm      rss cpu oom_adj name\n"
      "[  300]     0   300     1000      200   1     -17 udevd\n"
      "[  900]  1000   900     2000      150   0       0 make\n"
      "[  901]  1000   901   500000   400000   3       0 cc1plus\n"
      "Out of memory: kill process 900 (make) score 7812 or a child\n"
      "Killed process 901 (cc1plus) vsz:2000000kB, anon-rss:1599000kB, file-rss:1000kB\n");
  const OomKill& kill = incident.kills[0];
  EXPECT_EQ(kill.decision.trigger_tid, 900U);
  EXPECT_EQ(incident.kernel_release, "2.6.32.27");
  EXPECT_EQ(kill.victim.pid, 901U);
  EXPECT_EQ(kill.sacrificed_for_pid, 900U);
  EXPECT_EQ(kill.score, 7812U);
  EXPECT_EQ(kill.memory->total_vm, 2000000ULL * 1024);
  EXPECT_TRUE(kill.memory->missing & kMemoryShmem);
  EXPECT_TRUE(kill.memory->missing & kMemoryPgtables);
  EXPECT_EQ(kill.uid, 1000U);
  ASSERT_EQ(incident.candidates.size(), 3U);
  EXPECT_EQ(incident.page_size, 4096U);  // 2000000 kB are 500000 pages
  EXPECT_EQ(incident.candidates[2].rss, 400000LL * 4096);
  EXPECT_FALSE(incident.candidates[2].oom_score_adj);  // oom_adj has another scale
  EXPECT_FALSE(incident.end.report_cut);
}

TEST(OlderKernels, linux_2_6_36_has_both_adjustments_in_its_table) {
  const CollectedIncident incident = only(
      "a.out invoked oom-killer: gfp_mask=0x280da, order=0, oom_adj=-4, oom_score_adj=-235\n"
      "[ pid ]   uid  tgid total_vm      rss cpu oom_adj oom_score_adj name\n"
      "[  812]     0   812     2500      180   2     -17         -1000 sshd\n"
      "[ 1412]   500  1412    90000    80000   1      -4          -235 a.out\n"
      "Out of memory: Kill process 1412 (a.out) score 391 or sacrifice child\n"
      "Killed process 1412 (a.out) total-vm:360000kB, anon-rss:319000kB, file-rss:1000kB\n");
  EXPECT_EQ(incident.kills[0].decision.trigger_oom_score_adj, -235);
  EXPECT_EQ(incident.kills[0].oom_score_adj, -235);
  ASSERT_EQ(incident.candidates.size(), 2U);
  EXPECT_EQ(incident.candidates[0].excluded, Excluded::kAdjMin);
  EXPECT_EQ(incident.candidates[1].oom_score_adj, -235);
  EXPECT_TRUE(incident.candidates[1].memory->missing & kMemorySwap);
}

TEST(OlderKernels, linux_3_10_counts_page_table_pages) {
  const CollectedIncident incident = only(
      "[  100.000001] python invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\n"
      "[  100.000002] python cpuset=job7 mems_allowed=0-1\n"
      "[  100.000003] CPU: 3 PID: 7001 Comm: python Not tainted 3.10.0-1160.el7.x86_64 #1\n"
      "[  100.000004] Task in /slurm/uid_1000/job_7 killed as a result of limit of /slurm/uid_1000/job_7\n"
      "[  100.000005] memory: usage 4194304kB, limit 4194304kB, failcnt 812\n"
      "[  100.000006] memory+swap: usage 4194304kB, limit 4194304kB, failcnt 44\n"
      "[  100.000007] kmem: usage 0kB, limit 9007199254740988kB, failcnt 0\n"
      "[  100.000008] Memory cgroup stats for /slurm/uid_1000/job_7: cache:1024KB rss:4193280KB rss_huge:0KB "
      "mapped_file:512KB "
      "swap:0KB inactive_anon:100KB active_anon:4193180KB inactive_file:0KB active_file:0KB unevictable:0KB\n"
      "[  100.000009] [ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name\n"
      "[  100.000010] [ 7000]  1000  7000    30000      500      30        0             0 slurm_script\n"
      "[  100.000011] [ 7001]  1000  7001  1200000  1040000    2100        5             0 python\n"
      "[  100.000012] Memory cgroup out of memory: Kill process 7001 (python) score 994 or sacrifice child\n"
      "[  100.000013] Killed process 7001 (python), UID 1000, total-vm:4800000kB, anon-rss:4150000kB, "
      "file-rss:10000kB, shmem-rss:0kB\n");
  const OomKill& kill = incident.kills[0];
  EXPECT_EQ(kill.decision.domain, DomainKind::kMemcg);
  EXPECT_TRUE(kill.decision.constraint.empty());
  EXPECT_EQ(kill.decision.cgroup.path, "/slurm/uid_1000/job_7");
  EXPECT_EQ(kill.cgroup.path, "/slurm/uid_1000/job_7");
  EXPECT_EQ(kill.decision.limit, 4194304ULL * 1024);
  EXPECT_EQ(kill.decision.swap_limit, 0U);
  EXPECT_EQ(kill.decision.total_pages, 4194304U / 4);
  EXPECT_EQ(kill.score, 994U);
  EXPECT_EQ(kill.uid, 1000U);
  EXPECT_EQ(kill.victim.comm, "python");
  EXPECT_EQ(kill.memory->pgtables, 2100ULL * 4096);
  EXPECT_EQ(kill.memory->swap, 5LL * 4096);
  EXPECT_EQ(incident.candidates[1].memory->pgtables, 2100ULL * 4096);
  ASSERT_EQ(incident.cgroups.size(), 1U);
  EXPECT_EQ(incident.cgroups[0].version, 1);
  EXPECT_EQ(incident.cgroups[0].anon, 4193280ULL * 1024);
  EXPECT_EQ(incident.cgroups[0].file, 1024ULL * 1024);
}

TEST(OlderKernels, linux_4_14_adds_columns_and_a_nodemask) {
  const CollectedIncident incident = only(
      "train invoked oom-killer: gfp_mask=0x14280ca(GFP_HIGHUSER_MOVABLE|__GFP_ZERO), nodemask=0, order=0, "
      "oom_score_adj=0\n"
      "train cpuset=/ mems_allowed=0-1\n"
      "CPU: 9 PID: 5000 Comm: train Tainted: P           OE   4.14.62 #2\n"
      "Task in /user.slice killed as a result of limit of /user.slice\n"
      "[ pid ]   uid  tgid total_vm      rss nr_ptes nr_pmds swapents oom_score_adj name\n"
      "[ 5000]  1000  5000   250000   200000     410       4        0             0 train\n"
      "Memory cgroup out of memory: Kill process 5000 (train) score 981 or sacrifice child\n"
      "Killed process 5000 (train) total-vm:1000000kB, anon-rss:790000kB, file-rss:9000kB, shmem-rss:1000kB\n"
      "oom_reaper: reaped process 5000 (train), now anon-rss:0kB, file-rss:0kB, shmem-rss:1000kB\n");
  EXPECT_EQ(incident.candidates[0].memory->pgtables, 414ULL * 4096);
  EXPECT_EQ(incident.kills[0].memory->shmem, 1000LL * 1024);
  ASSERT_EQ(incident.reaped.size(), 1U);
  EXPECT_EQ(incident.reaped[0].memory->shmem, 1000LL * 1024);
}

TEST(OlderKernels, linux_5_4_prints_page_tables_in_bytes_under_the_name_of_kb) {
  const CollectedIncident incident = only(
      "Tasks state (memory values in pages):\n"
      "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n"
      "[   1878]  1000  1878   217253   151144  1269760        0             0 python\n"
      "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/"
      ",task=python,pid=1878,uid=1000\n"
      "Out of memory: Killed process 1878 (python) total-vm:869012kB, anon-rss:604572kB, file-rss:4kB, shmem-rss:0kB, "
      "UID:1000 "
      "pgtables:1269760kB oom_score_adj:0\n");
  EXPECT_EQ(incident.kills[0].memory->pgtables, 1269760U);
}

TEST(OlderKernels, a_mempolicy_or_cpuset_speaks_in_its_own_words) {
  const CollectedIncident policy =
      only("No available memory (MPOL_BIND): kill process 10 (db) score 5 or a child\nKilled process 10 (db)\n");
  EXPECT_EQ(policy.kills[0].decision.domain, DomainKind::kMempolicy);
  const CollectedIncident cpuset = only("No available memory in cpuset: Killed process 11 (db).\n");
  EXPECT_EQ(cpuset.kills[0].decision.domain, DomainKind::kCpuset);
  EXPECT_EQ(cpuset.kills[0].victim.pid, 11U);
}

TEST(OlderKernels, nodes_and_their_memory_make_the_total_of_a_cpuset) {
  const CollectedIncident incident = only(
      "t invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
      "Mem-Info:\n"
      "active_anon:1000 inactive_anon:0 isolated_anon:0\n"
      "Node 1 active_anon:4000kB inactive_anon:0kB active_file:0kB\n"
      "Node 1 Normal free:500kB min:60kB low:70kB high:80kB present:1048576kB managed:1000000kB mlocked:0kB\n"
      "Node 1 Movable free:500kB min:60kB low:70kB high:80kB present:4096kB managed:4096kB mlocked:0kB\n"
      "Node 1 Normal: 5*4kB (U) 1*8kB (U) = 28kB\n"
      "Total swap = 8192kB\n"
      "oom-kill:constraint=CONSTRAINT_CPUSET,nodemask=(null),cpuset=half,mems_allowed=1,global_oom,task_memcg=/"
      ",task=t,pid=5,uid=0\n"
      "Out of memory: Killed process 5 (t) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 "
      "pgtables:40kB oom_score_adj:0\n");
  const OomDecision& d = incident.kills[0].decision;
  EXPECT_EQ(d.domain, DomainKind::kCpuset);
  EXPECT_EQ(d.nodes, "1");
  EXPECT_EQ(d.total_pages, (1048576U + 4096 + 8192) / 4);
}

TEST(OlderKernels, sysrq_is_told_by_its_own_line) {
  const CollectedIncident incident = only(
      "[  10.000000] SysRq : Manual OOM execution\n"
      "[  10.000100] kworker/0:1 invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\n"
      "[  10.000200] Mem-Info:\n"
      "[  10.000300] Out of memory: Kill process 77 (x) score 12 or sacrifice child\n"
      "[  10.000400] Killed process 77 (x) total-vm:80kB, anon-rss:4kB, file-rss:0kB\n");
  EXPECT_EQ(incident.kills[0].decision.domain, DomainKind::kSysrq);
  EXPECT_EQ(incident.kills[0].decision.decided_by, DecidedBy::kSysrq);
}

TEST(OlderKernels, panics_and_reports_without_a_victim_say_why) {
  EXPECT_EQ(only("x invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\n"
                 "Kernel panic - not syncing: out of memory. panic_on_oom is selected\n")
                .kills[0]
                .no_victim,
            "panic");
  EXPECT_EQ(only("x invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\n"
                 "Kernel panic - not syncing: Out of memory and no killable processes...\n")
                .kills[0]
                .no_victim,
            "panic");
  const CollectedIncident none = only(
      "x invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\nOut of memory and no killable processes...\n"
      "Kernel panic - not syncing: System is deadlocked on memory\n");
  EXPECT_EQ(none.kills[0].no_victim, "no_killable_process");
  EXPECT_EQ(none.kills[0].decision.domain, DomainKind::kGlobal);
  EXPECT_EQ(none.kills[0].victim.pid, 0U);
  EXPECT_EQ(only("x invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\n").kills[0].no_victim, "report_cut");
}

TEST(OlderKernels, processes_that_share_the_victims_memory_are_no_victims) {
  const EventCollector log = collect(
      "Out of memory: Kill process 50 (a) score 9 or sacrifice child\n"
      "Killed process 50 (a) total-vm:80kB, anon-rss:4kB, file-rss:0kB\n"
      "Kill process 51 (b) sharing same memory\n");
  ASSERT_EQ(log.incidents.size(), 1U);
  EXPECT_EQ(log.incidents[0].kills.size(), 1U);
  ASSERT_EQ(log.signals.size(), 1U);
  EXPECT_EQ(log.signals[0].target.pid, 51U);
  EXPECT_TRUE(log.signals[0].in_oom_kill);
}

}  // namespace
}  // namespace oomtrace::kernel_log
