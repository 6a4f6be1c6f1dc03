// SPDX-License-Identifier: Apache-2.0
// What is found where nothing was OOM-killed, and that a good run has no finding.
#include "training_support.h"

namespace oomtrace::analysis {
namespace {

struct FindingsTest : TrainingTest {
  const Diagnosis* finding(const Report& report, std::string_view kind) const {
    for (const Diagnosis& diagnosis : report.diagnosis) {
      if (diagnosis.cause.kind == kind) return &diagnosis;
    }
    return nullptr;
  }
  void run(double until_s = 30) {
    begin_trainer(200);
    for (std::uint32_t pid = 11; pid <= 12; ++pid) {
      events.at(5);
      fork_worker(pid, 200);
    }
    during(6, until_s, [&](double) {
      level(trainer, 210);
      for (std::uint32_t pid = 11; pid <= 12; ++pid) level(worker(pid), 201, 8);
    });
    ledger(220, 0);
  }
  void mount(const ProcessRef& process, double size_mib, double used_mib) {
    events.emit(SystemMounts{process.pid, {{"/dev/shm", "tmpfs", bytes(size_mib), bytes(used_mib)}}});
  }
};

TEST_F(FindingsTest, a_good_run_says_that_nothing_was_killed) {
  run();
  events.at(31).exit(worker(11));
  events.exit(worker(12));
  events.at(32).exit(trainer);
  events.emit(TraceStop{"signal", {}});
  const Report found = report();
  EXPECT_TRUE(found.incidents.empty());
  ASSERT_EQ(found.diagnosis.size(), 1u);
  const Cause& cause = found.diagnosis.front().cause;
  EXPECT_EQ(cause.kind, "no_oom_kill");
  EXPECT_EQ(cause.confidence, 1);
  EXPECT_NE(cause.summary.find("Nothing was OOM-killed"), std::string::npos) << cause.summary;
  EXPECT_NE(cause.summary.find("python3 train.py (pid 10) ended with exit code 0 and held 210.0 MiB at most"),
            std::string::npos)
      << cause.summary;
  EXPECT_NE(cause.summary.find("Of 1000.0 MiB in its cgroup"), std::string::npos) << cause.summary;
  EXPECT_TRUE(found.diagnosis.front().remedies.empty());
}

TEST_F(FindingsTest, a_recording_without_an_end_says_less) {
  run();
  const Report found = report();
  ASSERT_TRUE(finding(found, "no_oom_kill"));
  const Cause& cause = finding(found, "no_oom_kill")->cause;
  EXPECT_EQ(cause.confidence, 0.5);
  EXPECT_NE(cause.summary.find("lacks its beginning or its end"), std::string::npos) << cause.summary;
}

TEST_F(FindingsTest, a_limit_reached_by_page_cache_is_no_want) {
  begin_trainer(200);
  during(6, 30, [&](double part) {
    level(trainer, 200);
    ledger(200, 0, 795 * part);
  });
  events.at(32).exit(trainer);
  const Report found = report();
  ASSERT_TRUE(finding(found, "no_oom_kill"));
  const Cause& cause = finding(found, "no_oom_kill")->cause;
  EXPECT_NE(cause.summary.find("page cache, which the kernel takes back"), std::string::npos) << cause.summary;
  EXPECT_NEAR(figure(cause, "of it page cache"), 795.0 * kMiB, 5.0 * kMiB);
}

TEST_F(FindingsTest, bus_errors_name_the_full_mount) {
  run();
  mount(trainer, 64, 62);
  events.at(31).exit(worker(11), 7);
  events.exit(worker(12), 7);
  events.at(32).exit(trainer, 0x100);
  const Report found = report();
  ASSERT_EQ(found.diagnosis.size(), 1u);
  const Diagnosis& diagnosis = found.diagnosis.front();
  EXPECT_EQ(diagnosis.cause.kind, "shm_exhaustion");
  EXPECT_GT(diagnosis.cause.confidence, 0.9);
  EXPECT_NE(diagnosis.cause.summary.find("64.0 MiB"), std::string::npos) << diagnosis.cause.summary;
  ASSERT_FALSE(diagnosis.remedies.empty());
  EXPECT_NE(diagnosis.remedies.front().command.value_or("").find("--shm-size"), std::string::npos);
  EXPECT_TRUE(found.incidents.empty());
}

TEST_F(FindingsTest, a_bus_error_without_a_known_mount_is_less_sure) {
  run();
  events.at(31).exit(worker(11), 7);
  const Report found = report();
  ASSERT_TRUE(finding(found, "shm_exhaustion"));
  EXPECT_LT(finding(found, "shm_exhaustion")->cause.confidence, 0.8);
}

TEST_F(FindingsTest, a_bus_error_beside_an_empty_mount_is_of_a_file) {
  run();
  mount(trainer, 65536, 20);
  events.at(31).exit(worker(11), 7);
  const Report found = report();
  EXPECT_FALSE(finding(found, "shm_exhaustion"));
  EXPECT_TRUE(finding(found, "crash"));
}

TEST_F(FindingsTest, a_crash_is_no_full_mount) {
  run();
  mount(trainer, 64, 62);
  events.at(31).exit(worker(11), 11 | 0x80);
  events.at(33).exit(trainer, 0x100);
  const Report found = report();
  EXPECT_FALSE(finding(found, "shm_exhaustion"));
  ASSERT_EQ(found.diagnosis.size(), 1u);
  EXPECT_EQ(found.diagnosis.front().cause.kind, "crash");
  const std::string& summary = found.diagnosis.front().cause.summary;
  EXPECT_NE(summary.find("SIGSEGV"), std::string::npos) << summary;
  EXPECT_NE(summary.find("1 other ended because of it"), std::string::npos) << summary;
}

TEST_F(FindingsTest, a_kill_by_a_program_is_told_with_its_sender) {
  run();
  const ProcessRef killer = ref(40, "bash", 1);
  events.at(31).signal(killer, worker(11));
  events.exit(worker(11), 9);
  events.at(33).exit(trainer, 0x100);
  const Report found = report();
  ASSERT_EQ(found.diagnosis.size(), 1u);
  EXPECT_EQ(found.diagnosis.front().cause.kind, "killed_by_process");
  EXPECT_NE(found.diagnosis.front().cause.summary.find("bash (pid 40)"), std::string::npos)
      << found.diagnosis.front().cause.summary;
  // The trainer gave up because of it: no finding of its own.
  EXPECT_EQ(death(found, 10)->because_of_pid, 11u);
}

TEST_F(FindingsTest, a_sender_is_not_whoever_has_its_pid_by_now) {
  run();
  const ProcessRef killer = ref(40, "bash", 1);
  events.at(31).signal(killer, worker(11));
  events.exit(worker(11), 9);
  events.at(32).exit(killer);
  events.at(33).memory(ref(40, "cron", 33), mib(5));
  const Report found = report();
  ASSERT_TRUE(finding(found, "killed_by_process"));
  const std::string& summary = finding(found, "killed_by_process")->cause.summary;
  EXPECT_NE(summary.find("bash (pid 40)"), std::string::npos) << summary;
}

TEST_F(FindingsTest, what_a_stranger_does_with_its_children_is_no_finding) {
  begin();
  const ProcessRef parent = ref(40, "suite", 1), child = ref(41, "suite", 2);
  start_other(parent, 10);
  events.at(2).fork(parent, child);
  level(child, 300);
  events.at(3).signal(parent, child);
  events.exit(child, 9);
  const Report found = report();
  EXPECT_FALSE(finding(found, "killed_by_process"));
  EXPECT_TRUE(finding(found, "no_oom_kill"));
}

TEST_F(FindingsTest, a_launcher_that_tears_down_its_ranks_points_at_the_first) {
  const ProcessRef agent = ref(5, "pt_elastic", 1), other = ref(20, "python3", 2);
  start_ranks(agent, "/usr/bin/python3", "python3 -m torch.distributed.run train.py", other);
  events.at(20).exit(other, 0x100);
  events.at(21).signal(agent, trainer, 15);
  events.at(22).exit(trainer, 15);
  events.at(23).exit(agent, 0x100);
  const Report found = report();
  ASSERT_EQ(found.diagnosis.size(), 1u);
  const Cause& cause = found.diagnosis.front().cause;
  EXPECT_EQ(cause.kind, "exit_error");
  EXPECT_NE(cause.summary.find("(pid 20)"), std::string::npos) << cause.summary;
  EXPECT_NE(cause.summary.find("2 others ended because of it"), std::string::npos) << cause.summary;
  EXPECT_EQ(death(found, 10)->because_of_pid, 20u);
}

TEST_F(FindingsTest, a_request_to_stop_names_who_asked) {
  run();
  events.at(31).signal(ref(40, "slurmstepd", 1), trainer, 15);
  events.exit(trainer, 15);
  const Report found = report();
  ASSERT_TRUE(finding(found, "killed_by_process"));
  const Diagnosis& diagnosis = *finding(found, "killed_by_process");
  EXPECT_NE(diagnosis.cause.summary.find("SIGTERM by slurmstepd (pid 40)"), std::string::npos)
      << diagnosis.cause.summary;
  EXPECT_NE(diagnosis.remedies.front().command.value_or("").find("sacct"), std::string::npos);
}

TEST_F(FindingsTest, an_oom_daemon_is_told_by_its_name) {
  run();
  events.at(31).signal(ref(40, "systemd-oomd", 1), trainer);
  events.exit(trainer, 9);
  const Report found = report();
  ASSERT_TRUE(finding(found, "killed_by_oom_daemon"));
  EXPECT_NE(finding(found, "killed_by_oom_daemon")->remedies.front().title.find("systemd-oomd"), std::string::npos);
}

TEST_F(FindingsTest, a_refused_allocation_has_the_limit_of_the_address_space) {
  begin_trainer(200);
  ProcessMemory wide;
  wide.process = trainer;
  wide.memory = mib(600);
  wide.memory->total_vm = 980 * kMiB;
  events.at(20).emit(wide);
  ProcessExit exit;
  exit.process = trainer;
  exit.wait_status = 0x100;
  exit.address_space_limit = 1000 * kMiB;
  events.at(21).emit(exit);
  const Report found = report();
  ASSERT_EQ(found.diagnosis.size(), 1u);
  EXPECT_EQ(found.diagnosis.front().cause.kind, "allocation_refused");
  EXPECT_NE(found.diagnosis.front().cause.summary.find("RLIMIT_AS"), std::string::npos);
  EXPECT_LT(found.diagnosis.front().cause.confidence, 0.8);  // nobody saw the call fail
}

TEST_F(FindingsTest, an_error_far_from_the_limit_of_the_address_space_is_its_own) {
  begin_trainer(200);
  ProcessExit exit;
  exit.process = trainer;
  exit.wait_status = 0x100;
  exit.address_space_limit = 100'000 * kMiB;
  events.at(21).emit(exit);
  const Report found = report();
  EXPECT_FALSE(finding(found, "allocation_refused"));
  EXPECT_TRUE(finding(found, "exit_error"));
}

TEST_F(FindingsTest, strict_overcommit_near_its_limit_may_have_refused) {
  events.at(1);
  TraceStart start;
  start.page_size = 4096;
  start.overcommit_memory = 2;
  events.emit(start);
  start_trainer(trainer, 200);
  SystemMemory memory;
  memory.total = 8192 * kMiB;
  memory.available = 6000 * kMiB;
  memory.committed = 3950 * kMiB;
  memory.commit_limit = 4096 * kMiB;
  events.at(20).emit(memory);
  events.at(21).exit(trainer, 0x100);
  const Report found = report();
  ASSERT_TRUE(finding(found, "allocation_refused"));
  EXPECT_NE(finding(found, "allocation_refused")->cause.summary.find("vm.overcommit_memory = 2"), std::string::npos);
}

TEST_F(FindingsTest, any_other_error_is_its_own) {
  run();
  events.at(31).exit(trainer, 0x100);
  const Report found = report();
  ASSERT_TRUE(finding(found, "exit_error"));
  EXPECT_NE(finding(found, "exit_error")->cause.summary.find("not by the OOM killer"), std::string::npos);
}

// The recorder cuts the upper levels of a path that has more than it looks at.
TEST_F(FindingsTest, an_error_in_a_cgroup_whose_path_was_cut_is_told) {
  for (const char* path : {"...", ".../a", "job"}) {
    job = {78, path};
    begin_trainer(200);  // and nothing is told of the cgroup's memory: those above it are looked for
    events.at(31).exit(trainer, 0x100);
    ASSERT_TRUE(finding(report(), "exit_error")) << path;
    world = model::World();
  }
}

TEST_F(FindingsTest, who_follows_from_a_pids_earlier_owner_is_counted_once) {
  begin();
  for (std::uint32_t round = 0; round < 5; ++round) {
    const double at = 10 * (round + 1);
    const ProcessRef parent = ref(5, "job", at), child = ref(100 + round, "job", at + 1);
    events.at(at).fork(ref(2, "sh", 0.5), parent);
    level(parent, 100);
    events.at(at + 1).fork(parent, child);
    level(child, 10);
    events.at(at + 2).signal(ref(3, "bash", 0.5), parent);
    events.exit(parent, 9);
    events.at(at + 2.1).exit(child, 0x100);
  }
  const Report found = report();
  ASSERT_TRUE(finding(found, "killed_by_process"));
  const std::string& summary = finding(found, "killed_by_process")->cause.summary;
  EXPECT_NE(summary.find("5 others ended because of it"), std::string::npos) << summary;
}

TEST_F(FindingsTest, workers_that_outlive_their_trainer_are_orphans) {
  run();
  events.at(31).exit(trainer, 9);
  during(32, 60, [&](double) {
    for (std::uint32_t pid = 11; pid <= 12; ++pid) level(worker(pid), 201, 8);
  });
  const Report found = report();
  const Diagnosis* orphans = finding(found, "orphaned_workers");
  ASSERT_TRUE(orphans);
  EXPECT_EQ(figure(orphans->cause, "workers without their trainer"), 2);
  EXPECT_EQ(orphans->remedies.front().command, "kill 11 12");
}

TEST_F(FindingsTest, workers_that_leave_in_time_are_none) {
  run();
  events.at(31).exit(trainer, 0x100);
  events.at(35).exit(worker(11));
  events.exit(worker(12));
  during(36, 60, [&](double) { ledger(1, 0); });
  EXPECT_FALSE(finding(report(), "orphaned_workers"));
}

TEST_F(FindingsTest, an_oom_kill_leaves_nothing_to_find_in_its_program) {
  run();
  rise(trainer, 210, 900, 30, 60);
  kill(trainer, 900);
  events.at(60.2).exit(trainer, 9);
  events.signal(ref(40, "bash", 1), worker(11));
  events.exit(worker(11), 9);
  const Report found = report();
  EXPECT_EQ(found.incidents.size(), 1u);
  EXPECT_TRUE(found.diagnosis.empty());
}

}  // namespace
}  // namespace oomtrace::analysis
