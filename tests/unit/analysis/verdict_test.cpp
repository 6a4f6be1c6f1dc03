// SPDX-License-Identifier: Apache-2.0
// Verdicts: how processes ended, by whom, and because of whom.
#include "analysis_support.h"

namespace oomtrace::analysis {
namespace {

struct VerdictTest : AnalysisTest {
  const ProcessRef launcher = ref(9, "pt_elastic", 1);
  const ProcessRef trainer = ref(10, "python3", 2);
  const ProcessRef worker = ref(11, "pt_data_worker", 3);
  const ProcessRef other_worker = ref(12, "pt_data_worker", 3);

  void job() {
    events.at(1).start();
    events.memory(launcher, mib(50));
    events.at(2).fork(launcher, trainer);
    events.exec(trainer, "/usr/bin/python3", "python3 -u train.py", 9);
    events.memory(trainer, mib(300));
    events.at(3).fork(trainer, worker, mib(300));
    events.fork(trainer, other_worker, mib(300));
    events.memory(worker, mib(300));
    events.memory(other_worker, mib(300));
  }
  std::string verdict_of(std::uint32_t pid) const {
    const Report all = report();
    const Death* found = death(all, pid);
    return found ? found->verdict : "not told";
  }
  std::optional<std::uint32_t> because_of(std::uint32_t pid) const {
    const Report all = report();
    const Death* found = death(all, pid);
    EXPECT_NE(found, nullptr) << pid;
    return found ? found->because_of_pid : std::nullopt;
  }
};

TEST_F(VerdictTest, domains_give_the_oom_verdicts) {
  events.at(1).start();
  events.emit(test::memcg_kill(1, ref(10, "a"), mib(100), {5, "/a"}, 100 * kMiB));
  events.at(1.1).exit(ref(10, "a"), 9, true);
  events.at(2).emit(test::global_kill(2, ref(11, "b"), mib(100), 100000));
  events.at(2.1).exit(ref(11, "b"), 9, true);
  EXPECT_EQ(verdict_of(10), "memcg_oom");
  EXPECT_EQ(verdict_of(11), "kernel_oom");
}

TEST_F(VerdictTest, sigkill_names_its_sender) {
  job();
  events.at(10).signal(ref(50, "bash", 1), trainer);
  events.at(10.1).exit(trainer, 9);
  const Report all = report();
  const Death* found = death(all, 10);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->verdict, "sigkill");
  EXPECT_EQ(found->signal, 9);
  ASSERT_TRUE(found->sender);
  EXPECT_EQ(found->sender->comm, "bash");
  EXPECT_EQ(found->sender->pid, 50u);
}

TEST_F(VerdictTest, oom_daemons_are_told_from_other_senders) {
  for (const char* daemon : {"systemd-oomd", "earlyoom", "nohang", "oomd", "kubelet"}) {
    model::World one;
    test::EventStream stream([&](const Event& event) { one.apply(event); });
    stream.at(1).start();
    stream.memory(trainer, mib(300));
    stream.at(2).signal(ref(50, daemon, 1), trainer, 15);
    stream.at(2.1).exit(trainer, 15);
    const Report told = build_report(one, {});
    ASSERT_EQ(told.deaths.size(), 1u) << daemon;
    EXPECT_EQ(told.deaths[0].verdict, "oom_daemon") << daemon;
  }
}

TEST_F(VerdictTest, crashes_errors_and_good_ends) {
  job();
  events.at(10).exit(worker, 11 | 0x80);
  events.at(11).exit(other_worker, 0);
  events.at(20).exit(trainer, 0x300);
  const Report all = report();
  EXPECT_EQ(death(all, 11)->verdict, "crash_signal");
  EXPECT_EQ(death(all, 11)->signal, 11);
  EXPECT_EQ(death(all, 12)->verdict, "exit_ok");
  EXPECT_EQ(death(all, 10)->verdict, "exit_error");
  EXPECT_EQ(death(all, 10)->exit_code, 3);
}

TEST_F(VerdictTest, a_full_shm_is_a_guess_for_a_workers_bus_error) {
  job();
  events.at(10).exit(worker, 7 | 0x80);
  const Report all = report();
  ASSERT_TRUE(death(all, 11)->detail);
  EXPECT_NE(death(all, 11)->detail->find("/dev/shm"), std::string::npos);
}

TEST_F(VerdictTest, small_strangers_that_end_are_not_told) {
  events.at(1).start();
  for (std::uint32_t pid = 100; pid < 110; ++pid) {
    events.memory(ref(pid, "grep"), mib(1));
    events.exit(ref(pid, "grep"), pid % 2 ? 0x100 : 0);
  }
  EXPECT_TRUE(report().deaths.empty());
}

TEST_F(VerdictTest, the_traced_commands_own_end_is_told) {
  events.at(1).start("./hog 100");
  events.exec(ref(10, "hog", 1), "./hog", "./hog 100", 9);
  events.at(2).exit(ref(10, "hog", 1), 0);
  EXPECT_EQ(verdict_of(10), "exit_ok");
}

TEST_F(VerdictTest, a_trainer_gives_up_after_its_workers_kill) {
  job();
  events.at(10).emit(test::memcg_kill(1, worker, mib(300), {5, "/a"}, 1000 * kMiB));
  events.at(10.1).exit(worker, 9, true);
  events.at(12).exit(trainer, 0x100);
  EXPECT_EQ(verdict_of(10), "exit_error");
  EXPECT_EQ(because_of(10), 11u);
  EXPECT_EQ(because_of(11), std::nullopt);
}

TEST_F(VerdictTest, a_failure_long_after_has_another_reason) {
  job();
  events.at(10).emit(test::memcg_kill(1, worker, mib(300), {5, "/a"}, 1000 * kMiB));
  events.at(10.1).exit(worker, 9, true);
  events.at(500).exit(trainer, 0x100);
  EXPECT_EQ(because_of(10), std::nullopt);
}

TEST_F(VerdictTest, workers_leave_after_their_trainer) {
  job();
  events.at(10).emit(test::memcg_kill(1, trainer, mib(300), {5, "/a"}, 1000 * kMiB));
  events.at(10.1).exit(trainer, 9, true);
  events.at(14).exit(worker, 0);
  events.at(15).exit(other_worker, 0x100);
  EXPECT_EQ(because_of(11), 10u);
  EXPECT_EQ(because_of(12), 10u);
  EXPECT_EQ(because_of(10), std::nullopt);
}

TEST_F(VerdictTest, a_worker_that_left_before_is_not_the_trainers_doing) {
  job();
  events.at(5).exit(worker, 0);
  events.at(10).emit(test::memcg_kill(1, trainer, mib(300), {5, "/a"}, 1000 * kMiB));
  events.at(10.1).exit(trainer, 9, true);
  EXPECT_EQ(because_of(11), std::nullopt);
}

TEST_F(VerdictTest, a_launcher_kills_the_other_ranks_for_the_one_it_lost) {
  job();
  const ProcessRef rank = ref(20, "python3", 2);
  events.at(4).fork(launcher, rank);
  events.exec(rank, "/usr/bin/python3", "python3 -u train.py", 9);
  events.memory(rank, mib(300));
  events.at(10).emit(test::memcg_kill(1, trainer, mib(300), {5, "/a"}, 1000 * kMiB));
  events.at(10.1).exit(trainer, 9, true);
  events.at(10.5).signal(launcher, rank, 15);
  events.at(10.6).exit(rank, 15);
  events.at(11).exit(launcher, 0x100);
  EXPECT_EQ(because_of(20), 10u);
  EXPECT_EQ(because_of(9), 10u);
}

TEST_F(VerdictTest, who_shares_the_victims_memory_goes_with_it) {
  events.at(1).start();
  events.memory(ref(10, "owner"), mib(100));
  events.memory(ref(11, "sharer"), mib(100));
  events.at(2).emit(test::global_kill(1, ref(10, "owner"), mib(100), 100000));
  SignalKill signal;
  signal.sender = ref(30, "asker");
  signal.target = ref(11, "sharer");
  signal.from_kernel = true;
  signal.in_oom_kill = true;
  signal.incident_id = 1;
  events.emit(signal);
  events.at(2.1).exit(ref(11, "sharer"), 9);
  const Report all = report();
  const Death* found = death(all, 11);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->verdict, "kernel_oom");
  EXPECT_EQ(found->because_of_pid, 10u);
  EXPECT_TRUE(found->detail);
  EXPECT_EQ(all.incidents.at(0).victims.size(), 1u);
}

TEST_F(VerdictTest, a_group_dies_for_its_chosen_one) {
  events.at(1).start();
  OomKill kill = test::memcg_kill(1, ref(10, "p0"), mib(100), {5, "/a"}, 100 * kMiB);
  kill.decision.oom_group = "/a";
  events.emit(kill);
  for (std::uint32_t pid = 11; pid < 61; ++pid) {
    OomKill member = test::memcg_kill(1, ref(pid, "member"), mib(1), {5, "/a"}, 100 * kMiB);
    member.group_member = true;
    events.emit(member);
    events.exit(ref(pid, "member"), 9, true);
  }
  kill.group_member = true;  // the group pass names the chosen one again
  events.emit(kill);
  const Report all = report();
  ASSERT_EQ(all.incidents.size(), 1u);
  EXPECT_EQ(all.incidents[0].victims.size(), 51u);
  EXPECT_FALSE(all.incidents[0].victims.at(0).group_member);
  EXPECT_TRUE(all.incidents[0].victims.at(1).group_member);
  ASSERT_NE(death(all, 40), nullptr);
  EXPECT_EQ(death(all, 40)->verdict, "memcg_oom");
  EXPECT_EQ(death(all, 40)->because_of_pid, 10u);
  EXPECT_EQ(death(all, 10)->because_of_pid, std::nullopt);
}

TEST_F(VerdictTest, a_mark_on_the_dying_is_no_kill) {
  events.at(1).start();
  events.memory(ref(10, "hog"), mib(100));
  events.at(2).signal(ref(50, "bash"), ref(10, "hog"));
  OomKill mark = test::global_kill(0, ref(10, "hog"), mib(100), 100000);
  mark.already_dying = true;
  events.emit(mark);
  events.at(2.1).exit(ref(10, "hog"), 9, true);
  const Report all = report();
  EXPECT_TRUE(all.incidents.empty());
  ASSERT_NE(death(all, 10), nullptr);
  EXPECT_EQ(death(all, 10)->verdict, "sigkill");
  EXPECT_EQ(death(all, 10)->sender->comm, "bash");
}

TEST_F(VerdictTest, a_mark_beside_a_kill_is_no_victim) {
  events.at(1).start();
  events.emit(test::global_kill(1, ref(10, "hog"), mib(100), 100000));
  OomKill mark = test::global_kill(1, ref(11, "leaver"), mib(1), 100000);
  mark.already_dying = true;
  events.emit(mark);
  const Incident found = incident();
  ASSERT_EQ(found.victims.size(), 1u);
  EXPECT_EQ(found.victims[0].pid, 10u);
  EXPECT_EQ(found.selection.candidates.size(), 1u);
}

TEST_F(VerdictTest, a_mark_before_the_kill_is_not_taken_for_the_choice) {
  events.at(1).start();
  OomKill mark = test::global_kill(1, ref(11, "leaver"), mib(1), 100000);
  mark.already_dying = true;
  events.emit(mark);
  events.emit(test::global_kill(1, ref(10, "hog"), mib(100), 100000));
  events.candidate(1, ref(10, "hog"), mib(100));
  events.candidate(1, ref(12, "other"), mib(50));
  const Incident found = incident();
  ASSERT_EQ(found.victims.size(), 1u);
  EXPECT_EQ(found.victims[0].pid, 10u);
  EXPECT_EQ(found.selection.runner_up_pid, 12u);
  EXPECT_NE(found.selection.summary.find("hog (pid 10) had the most points"), std::string::npos);
}

TEST_F(VerdictTest, an_oom_exit_without_its_kill_says_that_the_decision_was_not_seen) {
  events.at(1).start();
  events.memory(ref(10, "hog"), mib(100));
  events.at(2).exit(ref(10, "hog"), 9, true);
  const Report all = report();
  ASSERT_NE(death(all, 10), nullptr);
  EXPECT_EQ(death(all, 10)->verdict, "kernel_oom");
  EXPECT_TRUE(death(all, 10)->detail);
}

TEST_F(VerdictTest, many_deaths_are_bounded_and_the_oom_ones_stay) {
  events.at(1).start();
  events.emit(test::global_kill(1, ref(5, "victim"), mib(100), 100000));
  for (std::uint32_t pid = 100; pid < 1500; ++pid) {
    events.at(2).memory(ref(pid, "x"), mib(1));
    events.exit(ref(pid, "x"), 9);
  }
  const Report all = report();
  EXPECT_EQ(all.deaths.size(), 1000u);
  EXPECT_NE(death(all, 5), nullptr);
}

}  // namespace
}  // namespace oomtrace::analysis
