// SPDX-License-Identifier: Apache-2.0
// Which line belongs to which incident: groups, repeats, interleaving, gaps, names that look like something else.
#include <gtest/gtest.h>

#include <string>

#include "event_collector.h"
#include "kernel_log/kill_lines.h"
#include "kernel_log/line_joiner.h"
#include "kernel_log/trigger_lines.h"

namespace oomtrace::kernel_log {
namespace {

std::string at(double seconds, const std::string& text, const std::string& caller = "") {
  char stamp[32];
  std::snprintf(stamp, sizeof stamp, "[%12.6f]", seconds);
  return stamp + caller + " " + text + "\n";
}
std::string killed(int pid, const std::string& comm, const std::string& message = "Memory cgroup out of memory") {
  return message + ": Killed process " + std::to_string(pid) + " (" + comm +
         ") total-vm:800kB, anon-rss:400kB, file-rss:4kB, shmem-rss:0kB, UID:1000 pgtables:40kB oom_score_adj:0";
}
std::string invoked(const std::string& comm) {
  return comm + " invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0";
}
std::string header(int pid, const std::string& comm) {
  return "CPU: 1 UID: 0 PID: " + std::to_string(pid) + " Comm: " + comm + " Not tainted 6.12.1 #1";
}
std::string chosen(int pid, const std::string& comm, const std::string& memcg = "/a") {
  return "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=" + memcg +
         ",task_memcg=" + memcg + "/b,task=" + comm + ",pid=" + std::to_string(pid) + ",uid=1000";
}

TEST(Assembly, a_group_is_one_incident_and_its_first_victim_is_no_second_one) {
  const EventCollector log =
      collect(at(1, invoked("a")) + at(1.1, chosen(10, "a")) + at(1.2, killed(10, "a")) +
              at(1.3, "Tasks in /a/b are going to be killed due to memory.oom.group set") + at(1.4, killed(11, "b")) +
              at(1.5, "Memory cgroup out of memory: OOM victim 12 (c) is already exiting. Skip killing the task") +
              at(1.6, killed(10, "a")) + at(2.5, invoked("a")) + at(2.6, chosen(20, "z")) + at(2.7, killed(20, "z")));
  ASSERT_EQ(log.incidents.size(), 2U);
  ASSERT_EQ(log.incidents[0].kills.size(), 2U);
  EXPECT_EQ(log.incidents[0].kills[1].victim.pid, 11U);
  EXPECT_TRUE(log.incidents[0].kills[1].group_member);
  EXPECT_FALSE(log.incidents[0].kills[0].group_member);
  EXPECT_EQ(log.incidents[0].kills[0].decision.oom_group, "/a/b");
  EXPECT_EQ(log.incidents[0].kills[0].cgroup.path, "/a/b");
  EXPECT_TRUE(log.incidents[0].kills[1].cgroup.path.empty());  // the group has more cgroups than one
  EXPECT_EQ(log.incidents[1].kills[0].victim.pid, 20U);
}

TEST(Assembly, a_group_is_not_of_the_report_without_a_victim_before_it) {
  const EventCollector log =
      collect(at(1, invoked("a")) + at(1.1, "Out of memory and no killable processes...") +
              at(1.2, "Tasks in /a/b are going to be killed due to memory.oom.group set") + at(1.3, killed(11, "b")));
  ASSERT_EQ(log.incidents.size(), 2U);
  EXPECT_EQ(log.incidents[0].kills[0].no_victim, "no_killable_process");
  EXPECT_TRUE(log.incidents[0].kills[0].decision.oom_group.empty());
  EXPECT_EQ(log.incidents[1].kills[0].victim.pid, 11U);
  EXPECT_EQ(log.incidents[1].kills[0].decision.oom_group, "/a/b");
}

TEST(Assembly, no_kill_is_of_the_group_of_a_report_without_a_victim) {
  const EventCollector log = collect(at(1, "Tasks in /a/b are going to be killed due to memory.oom.group set") +
                                     at(1.1, "Out of memory and no killable processes...") + at(1.2, killed(11, "b")));
  ASSERT_EQ(log.incidents.size(), 2U);
  EXPECT_EQ(log.incidents[0].kills[0].no_victim, "no_killable_process");
  EXPECT_EQ(log.incidents[1].kills[0].victim.pid, 11U);
  EXPECT_FALSE(log.incidents[1].kills[0].group_member);
}

TEST(Assembly, the_repeated_victim_tells_a_group_whose_announcement_is_lost) {
  const EventCollector log =
      collect(at(1, killed(10, "a")) + at(1.1, killed(11, "b")) + at(1.2, killed(12, "c")) + at(1.3, killed(10, "a")));
  ASSERT_EQ(log.incidents.size(), 1U);
  EXPECT_EQ(log.incidents[0].kills.size(), 3U);
}

TEST(Assembly, kills_without_reports_are_incidents_of_their_own) {
  const EventCollector log = collect(at(1, killed(10, "a")) + at(1.1, killed(11, "b")) + at(60, killed(12, "c")));
  EXPECT_EQ(log.incidents.size(), 3U);
}

TEST(Assembly, the_same_pid_later_is_another_process) {
  EXPECT_EQ(collect(at(1, killed(10, "a")) + at(100, killed(10, "a"))).incidents.size(), 2U);
  // Without times the values tell.
  EXPECT_EQ(collect(invoked("a") + "\n" + killed(10, "a") + "\n" + invoked("a") + "\n" + killed(10, "a") + "\n")
                .incidents.size(),
            2U);
}

TEST(Assembly, a_log_that_holds_its_lines_twice_holds_each_incident_once) {
  const std::string report =
      at(1, invoked("a")) + at(1.1, header(5, "a")) + at(1.2, chosen(10, "a")) + at(1.3, killed(10, "a"));
  EXPECT_EQ(collect(report + report).incidents.size(), 1U);
}

TEST(Assembly, caller_ids_part_interleaved_reports) {
  const std::string a = "[  T100]", b = "[  T200]";
  const EventCollector log =
      collect(at(1.00, invoked("a"), a) + at(1.01, invoked("b"), b) + at(1.02, header(100, "a"), a) +
              at(1.03, header(200, "b"), b) + at(1.04, "memory: usage 8kB, limit 8kB, failcnt 1", a) +
              at(1.05, "memory: usage 16kB, limit 16kB, failcnt 2", b) + at(1.06, chosen(21, "y", "/two"), b) +
              at(1.07, chosen(11, "x", "/one"), a) + at(1.08, killed(11, "x"), a) + at(1.09, killed(21, "y"), b) +
              at(1.2, "oom_reaper: reaped process 11 (x), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB", "[   T55]"));
  ASSERT_EQ(log.incidents.size(), 2U);
  const OomKill& first = log.incidents[0].kills[0];
  const OomKill& second = log.incidents[1].kills[0];
  EXPECT_EQ(first.decision.trigger_tid, 100U);
  EXPECT_EQ(first.victim.pid, 11U);
  EXPECT_EQ(first.decision.limit, 8192U);
  EXPECT_EQ(first.decision.cgroup.path, "/one");
  EXPECT_EQ(second.decision.trigger_tid, 200U);
  EXPECT_EQ(second.victim.pid, 21U);
  EXPECT_EQ(second.decision.limit, 16384U);
  EXPECT_EQ(log.incidents[0].reaped.size(), 1U);
}

TEST(Assembly, headers_go_by_name_where_there_are_no_caller_ids) {
  const EventCollector log = collect(at(1.00, invoked("a")) + at(1.01, invoked("b")) + at(1.02, header(100, "a")) +
                                     at(1.03, header(200, "b")) + at(1.1, chosen(21, "y")) + at(1.2, killed(21, "y")));
  ASSERT_EQ(log.incidents.size(), 2U);
  EXPECT_EQ(log.incidents[0].kills[0].decision.trigger_tid, 100U);
  EXPECT_EQ(log.incidents[0].kills[0].no_victim, "report_cut");
  EXPECT_EQ(log.incidents[1].kills[0].decision.trigger_tid, 200U);
  EXPECT_EQ(log.incidents[1].kills[0].victim.pid, 21U);
}

TEST(Assembly, hosts_do_not_mix) {
  const std::string one = "2026-03-24T14:32:11Z one kernel: ", two = "2026-03-24T14:32:11Z two kernel: ";
  const EventCollector log =
      collect(one + invoked("a") + "\n" + two + invoked("b") + "\n" + two + chosen(20, "y") + "\n" + one +
              chosen(10, "x") + "\n" + one + killed(10, "x") + "\n" + two + killed(20, "y") + "\n");
  ASSERT_EQ(log.incidents.size(), 2U);
  EXPECT_EQ(log.incidents[0].host, "one");
  EXPECT_EQ(log.incidents[0].kills[0].victim.pid, 10U);
  EXPECT_EQ(log.incidents[0].kills[0].decision.trigger.comm, "a");
  EXPECT_EQ(log.incidents[1].host, "two");
  EXPECT_EQ(log.incidents[1].kills[0].victim.pid, 20U);
}

TEST(Assembly, a_new_report_ends_one_that_was_cut) {
  const EventCollector log =
      collect(at(1, invoked("a")) + at(1.1, header(100, "a")) + at(300, invoked("b")) + at(300.1, header(200, "b")) +
              at(300.2, chosen(20, "y")) + at(300.3, killed(20, "y")));
  ASSERT_EQ(log.incidents.size(), 2U);
  EXPECT_TRUE(log.incidents[0].end.report_cut);
  EXPECT_FALSE(log.incidents[1].end.report_cut);
}

TEST(Assembly, an_allocation_failure_inside_a_report_keeps_its_own_frames) {
  const EventCollector log = collect(
      at(1, invoked("a")) + at(1.01, header(100, "a")) + at(1.02, "Call Trace:") + at(1.03, " dump_header+0x1/0x2") +
      at(1.04, "b: page allocation failure: order:0, mode:0xcc0(GFP_KERNEL), nodemask=(null)") +
      at(1.05, header(200, "b")) + at(1.06, " warn_alloc+0x1/0x2") + at(1.07, "Tasks state (memory values in pages):") +
      at(1.08, chosen(10, "x")) + at(1.09, killed(10, "x")));
  ASSERT_EQ(log.incidents.size(), 1U);
  const OomDecision& d = log.incidents[0].kills[0].decision;
  EXPECT_EQ(d.trigger_tid, 100U);
  ASSERT_EQ(d.stack.size(), 1U);
  EXPECT_EQ(d.stack[0], "dump_header");
}

TEST(Assembly, another_programs_echo_is_no_kill) {
  const EventCollector log = collect("Mar 24 14:32:11 n node-problem-detector[6018]: Message:" + killed(7, "x") + "\n");
  EXPECT_TRUE(log.incidents.empty());
}

TEST(Assembly, dropped_lines_are_told) {
  const EventCollector log =
      collect(at(1, "oom_kill_process: 12 callbacks suppressed") + at(2, "** 34 printk messages dropped **"));
  ASSERT_EQ(log.lost.size(), 2U);
  EXPECT_EQ(log.lost[0].count, 12U);
  EXPECT_EQ(log.lost[1].count, 34U);
}

TEST(Assembly, swap_of_a_boot_that_is_in_the_log_is_known) {
  const std::string report = at(9, invoked("a")) + at(9.1, "memory: usage 8192kB, limit 8192kB, failcnt 1") +
                             at(9.2, "swap: usage 4kB, limit 9007199254740988kB, failcnt 0") +
                             at(9.3, chosen(10, "x")) + at(9.4, killed(10, "x"));
  const std::string boot = at(0, "Linux version 6.12.1-amd64 (a@b) (gcc) #1 SMP");
  const auto total = [](const std::string& text) {
    return collect(text).incidents.at(0).kills.at(0).decision.total_pages;
  };
  EXPECT_EQ(total(boot + report), 2048U);
  EXPECT_EQ(total(boot + at(1, "Adding 40960k swap on /dev/vda2.  Priority:-2 extents:1 across:40960k") + report),
            2048U + 10240);
  EXPECT_FALSE(total(report));
}

struct Name {
  const char* printed;
  const char* comm;
};
class Names : public testing::TestWithParam<Name> {};

TEST_P(Names, are_read_whole) {
  const std::string printed = GetParam().printed, comm = GetParam().comm;
  const EventCollector log = collect(
      at(1, invoked(printed)) + at(1.1, header(5, printed)) + at(1.2, "Tasks state (memory values in pages):") +
      at(1.3,
         "[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents "
         "oom_score_adj name") +
      at(1.4, "[      5]  1000     5      200      101      100        1         0    40960        0             0 " +
                  printed) +
      at(1.5, chosen(5, printed)) + at(1.6, killed(5, printed)));
  const CollectedIncident& incident = log.incidents.at(0);
  const OomKill& kill = incident.kills[0];
  EXPECT_EQ(kill.decision.trigger.comm, comm);
  EXPECT_EQ(kill.decision.trigger_tid, 5U);
  EXPECT_EQ(incident.candidates.at(0).process.comm, comm);
  EXPECT_EQ(kill.victim.comm, comm);
  EXPECT_EQ(kill.victim.pid, 5U);
  EXPECT_EQ(kill.uid, 1000U);
  EXPECT_EQ(kill.memory->total_vm, 800U * 1024);
}

INSTANTIATE_TEST_SUITE_P(Odd, Names,
                         testing::Values(Name{"python3", "python3"}, Name{"Web Content", "Web Content"},
                                         Name{"(sd-pam)", "(sd-pam)"}, Name{"a) (b", "a) (b"},
                                         Name{"a,pid=1,uid=2", "a,pid=1,uid=2"}, Name{"x,task=y", "x,task=y"},
                                         Name{"531", "531"}, Name{"a\\x0ab", "a\nb"},
                                         Name{"\\xe4\\xb8\\xad", "\xe4\xb8\xad"}, Name{"ray::IDLE", "ray::IDLE"},
                                         Name{"kworker/u17:0", "kworker/u17:0"}, Name{"\xe4\xb8\xad", "\xe4\xb8\xad"},
                                         Name{"a]b[c", "a]b[c"}, Name{"pt_data_worker", "pt_data_worker"},
                                         Name{"order=3", "order=3"}));

TEST(Paths, may_hold_commas_and_equals_signs) {
  const auto line = parse_constraint(
      "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=0,2-3,cpuset=x,y,mems_allowed=0,2-3,oom_memcg=/a,b=c,task_memcg=/"
      "a,b=c/d,task=t,pid=7,uid=8");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->nodemask, "0,2-3");
  EXPECT_EQ(line->cpuset, "x,y");
  EXPECT_EQ(line->mems_allowed, "0,2-3");
  EXPECT_EQ(line->oom_memcg, "/a,b=c");
  EXPECT_EQ(line->task_memcg, "/a,b=c/d");
  EXPECT_EQ(line->pid, 7U);
}

TEST(Cuts, make_no_wrong_values) {
  const std::string whole = killed(123456, "python3");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    for (const char* dots : {"", "...", "\xe2\x80\xa6"}) {
      const auto line = parse_killed(whole.substr(0, length) + dots);
      if (!line) continue;
      if (line->total_vm_kb) {
        EXPECT_EQ(line->total_vm_kb, 800U);
      }
      if (line->anon_rss_kb) {
        EXPECT_EQ(line->anon_rss_kb, 400U);
      }
      if (line->pgtables_kb) {
        EXPECT_EQ(line->pgtables_kb, 40U);
      }
      if (line->uid && *dots) {
        EXPECT_EQ(line->uid, 1000U) << length;
      }
    }
  }
}

TEST(Breaks, at_any_blank_are_mended) {
  const std::string whole = at(1, invoked("my prog")) + at(1.1, header(5, "my prog")) + at(1.2, chosen(5, "my prog")) +
                            at(1.3, killed(5, "my prog"));
  const EventCollector want = collect(whole);
  ASSERT_EQ(want.incidents.size(), 1U);
  std::size_t tried = 0;
  for (std::size_t i = 16; i < whole.size(); ++i) {
    // Not inside the stamp, the name or what stands before the name: a mail program could, but then nobody can tell.
    if (whole[i] != ' ' || whole[i - 1] == ']' || whole[i - 1] == ' ' || whole[i + 1] == ' ') continue;
    const std::size_t line = whole.rfind('\n', i) + 1;
    if (i - line < 28 || whole.substr(i, 5) == " prog") continue;
    if (whole.find("CPU:", line) == line + 15) continue;
    std::string broken = whole;
    broken[i] = '\n';
    const EventCollector got = collect(broken);
    ASSERT_EQ(got.incidents.size(), 1U) << broken;
    EXPECT_EQ(got.incidents[0].kills[0].victim.pid, 5U) << broken;
    EXPECT_EQ(got.incidents[0].kills[0].memory->total_vm, 800U * 1024) << broken;
    EXPECT_EQ(got.incidents[0].kills[0].oom_score_adj, 0) << broken;
    EXPECT_EQ(got.incidents[0].kills[0].decision.order, 0) << broken;
    ++tried;
  }
  EXPECT_GE(tried, 10U);
}

TEST(Breaks, join_nothing_that_is_whole) {
  EXPECT_EQ(continues(killed(5, "a"), "Tasks state"), Join::kNo);
  EXPECT_EQ(continues("Call Trace:", "dump_stack+0x1/0x2"), Join::kNo);
  EXPECT_EQ(continues(invoked("a"), "order=3"), Join::kNo);
  EXPECT_EQ(continues("a invoked oom-killer:", "gfp_mask=0x1, order=0"), Join::kBlank);
  EXPECT_EQ(continues("Killed process 1 (a) total-vm:12", "3kB, anon-rss:1kB"), Join::kDirect);
}

TEST(Lines, of_old_kernels_keep_oom_adj_apart) {
  const auto line = parse_invoked("cat invoked oom-killer: gfp_mask=0xd4, order=3, oom_adj=-17");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->oom_adj, -17);
  EXPECT_FALSE(line->oom_score_adj);
  EXPECT_EQ(line->order, 3);
}

}  // namespace
}  // namespace oomtrace::kernel_log
