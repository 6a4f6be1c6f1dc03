// SPDX-License-Identifier: Apache-2.0
// Deaths that no OOM killer caused never become incidents.
#include <gtest/gtest.h>

#include <string>

#include "event_collector.h"

namespace oomtrace::kernel_log {
namespace {

EventCollector others(const std::string& text) {
  EventCollector log = collect(text);
  EXPECT_TRUE(log.incidents.empty()) << text;
  EXPECT_FALSE(log.starts.empty());
  return log;
}

TEST(OtherDeaths, unhandled_faults_end_a_process) {
  struct Case {
    const char* line;
    std::uint32_t pid;
    const char* comm;
    std::uint32_t signal;
  };
  for (const Case& c : {
           Case{"python3[1234]: segfault at 10 ip 00007f0000001000 sp 00007ffd00000000 error 4 in "
                "libc.so.6[7f0000000000+195000]",
                1234, "python3", 11},
           Case{"pt_data_worker[77]: segfault at 0 ip 0000000000000000 sp 00007ffd00000000 error 14 likely on CPU 3 "
                "(core 1, socket 0)",
                77, "pt_data_worker", 11},
           Case{"traps: my prog[9] general protection fault ip:7f00 sp:7ffd error:0 in libtorch_cpu.so[7f00+1000]", 9,
                "my prog", 11},
           Case{"traps: a.out[10] trap invalid opcode ip:401106 sp:7ffd error:0 in a.out[401000+1000]", 10, "a.out", 4},
           Case{"traps: a.out[11] trap divide error ip:401106 sp:7ffd error:0 in a.out[401000+1000]", 11, "a.out", 8},
           Case{"app[12]: unhandled level 2 translation fault (11) at 0x00000008, esr 0x92000006, in app[400000+1000]",
                12, "app", 11},
           Case{"app[13]: segfault (11) at 0 nip 10000a lr 10000b code 1 in app[10000000+10000]", 13, "app", 11},
           Case{"app[14]: unhandled signal 7 at 0000000000000000 nip 0000 lr 0000 code 30001", 14, "app", 7},
       }) {
    for (const std::string prefix :
         {"[   12.000000] ", "Mar 24 14:32:11 h kernel: [   12.000000] ", "6,1,12000000,-;", ""}) {
      const EventCollector log = others(prefix + c.line + "\n");
      ASSERT_EQ(log.exits.size(), 1U) << prefix << c.line;
      EXPECT_EQ(log.exits[0].process.pid, c.pid);
      EXPECT_EQ(log.exits[0].process.comm, c.comm);
      EXPECT_EQ(log.exits[0].wait_status, c.signal);
      EXPECT_EQ(log.lines.size(), 1U);
    }
  }
}

TEST(OtherDeaths, killers_beside_the_kernels_are_named) {
  const EventCollector early = others(
      "Mar 24 14:32:11 h earlyoom[500]: low memory! at or below SIGTERM limits: mem 10.00%, swap 10.00%\n"
      "Mar 24 14:32:11 h earlyoom[500]: sending SIGTERM to process 4242 uid 1000 \"python3\": badness 912, VmRSS 12000 "
      "MiB\n"
      "Mar 24 14:32:15 h earlyoom[500]: sending SIGKILL to process 4242 uid 1000 \"python3\": badness 912, VmRSS 12000 "
      "MiB\n");
  ASSERT_EQ(early.signals.size(), 2U);
  EXPECT_EQ(early.signals[0].sender.comm, "earlyoom");
  EXPECT_EQ(early.signals[0].sender.pid, 500U);
  EXPECT_EQ(early.signals[0].target.pid, 4242U);
  EXPECT_EQ(early.signals[0].target.comm, "python3");
  EXPECT_EQ(early.signals[0].signal, 15);
  EXPECT_EQ(early.signals[1].signal, 9);
  EXPECT_FALSE(early.signals[1].from_kernel);

  const EventCollector oomd = others(
      "Mar 24 14:32:11 h systemd-oomd[700]: Killed /user.slice/user-1000.slice/session-2.scope due to memory pressure "
      "for /user.slice being "
      "65.13% > 50.00% for > 20s with reclaim activity\n"
      "Mar 24 14:32:11 h systemd[1]: session-2.scope: systemd-oomd killed 12 process(es) in this unit.\n");
  EXPECT_EQ(oomd.lines.size(), 2U);
  EXPECT_TRUE(oomd.lines[0].message.starts_with("systemd-oomd: Killed /user.slice"));
  const EventCollector marked = others(
      "19:46:58 systemd-oomd[726]: Marked /user.slice/a.scope for killing due to memory used (16260780032) / total "
      "(16419115008) and swap used (29560922112) / total (32838500352) being more than 90.00%\n"
      "Mar 24 16:04:39 h systemd-oomd[854]: Killed /user.slice/b.scope due to memory p>\n");
  EXPECT_EQ(marked.lines.size(), 2U);

  const EventCollector systemd = others(
      "Mar 24 14:32:11 h systemd[1]: a.service: A process of this unit has been killed by the OOM killer.\n"
      "Mar 24 14:32:11 h systemd[1]: a.service: Main process exited, code=killed, status=9/KILL\n"
      "Mar 24 14:32:11 h systemd[1]: a.service: Failed with result 'oom-kill'.\n");
  EXPECT_EQ(systemd.lines.size(), 3U);
}

// What names no process is no death of one: it is told with the report.
TEST(OtherDeaths, words_of_other_programs_are_passed_on_once) {
  EventCollector collector;
  LogParser parser(collector);
  const std::string line =
      "Mar 24 14:32:11 h systemd-oomd[700]: Killed /user.slice/a.scope due to memory pressure for /user.slice\n";
  parser.feed(line + line + "Mar 24 14:32:12 h kernel: fine\n");
  parser.finish();
  EXPECT_EQ(parser.notes(),
            (std::vector<std::string>{"another program wrote: systemd-oomd: Killed /user.slice/a.scope due to "
                                      "memory pressure for /user.slice"}));
}

TEST(OtherDeaths, broken_memory_and_androids_killer_send_signals) {
  const EventCollector broken = others(
      "[  1.000000] MCE: Killing app:539405 due to hardware memory corruption fault at 7fbe67bfb000\n"
      "[  2.000000] Memory failure: 0x1f7993: Sending SIGBUS to app:539406 due to hardware memory corruption\n"
      "[  3.000000] Memory failure: 0x1f7993: forcibly killing app:539407 because of failure to unmap corrupted "
      "page\n");
  ASSERT_EQ(broken.signals.size(), 3U);
  EXPECT_EQ(broken.signals[0].target.pid, 539405U);
  EXPECT_EQ(broken.signals[0].signal, 7);
  EXPECT_TRUE(broken.signals[0].from_kernel);
  EXPECT_EQ(broken.signals[2].signal, 9);
  const EventCollector android =
      others("6,2302,533604004,-;lowmemorykiller: Killing 'a b' (21742), adj 1000,\\x0a   to free 27320kB\n");
  ASSERT_EQ(android.signals.size(), 1U);
  EXPECT_EQ(android.signals[0].target.pid, 21742U);
  EXPECT_EQ(android.signals[0].target.comm, "a b");
}

TEST(OtherDeaths, the_words_alone_make_nothing) {
  for (const char* line :
       {"BUG: Bad page map in process oom_reaper  pte:06e76c3e",
        "CPU: 2 PID: 36 Comm: oom_reaper Tainted: G B W 5.18.0 #1", "oom_reaper+0x28c/0x3d0",
        "INFO: task oom_reaper:36 blocked for more than 122 seconds.", "oom_kill_process+0x1/0x2",
        "systemd[1]: Started Userspace Out-Of-Memory (OOM) Killer.",
        "[ 1234]     0  1234      100       20 not a table", "the process 12 (x) total-vm:1kB is fine"}) {
    EXPECT_TRUE(collect(std::string("[   12.000000] ") + line + "\n").incidents.empty()) << line;
  }
}

TEST(Live, records_come_out_as_soon_as_they_can) {
  EventCollector log;
  LogOptions options;
  options.live = true;
  LogParser parser(log, options);
  parser.feed_kmsg("4,900,5000000,-;a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n");
  parser.feed_kmsg("4,901,5000010,-;CPU: 0 UID: 0 PID: 5 Comm: a Not tainted 6.12.1 #1\n SUBSYSTEM=x\n DEVICE=+y\n");
  parser.feed_kmsg(
      "3,902,5000020,-;Out of memory: Killed process 6 (b\\x5cc) total-vm:8kB, anon-rss:4kB, file-rss:0kB, "
      "shmem-rss:0kB, UID:0 "
      "pgtables:40kB oom_score_adj:0\n");
  EXPECT_TRUE(log.incidents.empty());  // a group may follow
  parser.flush();
  ASSERT_EQ(log.incidents.size(), 1U);
  EXPECT_EQ(log.incidents[0].kills[0].victim.comm, "b\\c");
  EXPECT_EQ(log.incidents[0].kills[0].decision.trigger_tid, 5U);
  EXPECT_EQ(log.incidents[0].boot_ns, 5000020000U);
  EXPECT_TRUE(log.starts.empty());
  parser.finish();
  EXPECT_EQ(log.stops, 0U);
}

}  // namespace
}  // namespace oomtrace::kernel_log
