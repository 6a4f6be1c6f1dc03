// SPDX-License-Identifier: Apache-2.0
// Growth: who newly charged memory, in which window, and that nothing is counted twice or for the wrong one.
#include "analysis_support.h"

namespace oomtrace::analysis {
namespace {

struct GrowthTest : JobKillTest {
  // Programs start at once and grow, one of them by 20 * `most_mib`, the others by 100 MiB.
  std::optional<Driver> driver_of_a_crowd(int most_mib, std::uint32_t programs = 6) {
    const auto program = [](std::uint32_t pid) { return ref(pid, "program", 0.5); };
    events.at(1).start();
    for (int i = 0; i <= 20; ++i) {
      events.at(2 + i * 0.1);
      for (std::uint32_t pid = 10; pid < 10 + programs; ++pid)
        events.memory(program(pid), mib(10 + i * (pid == 13 ? most_mib : 5)), 0, kJob);
    }
    events.at(4.1);
    kill(program(13), mib(10 + 20 * most_mib));
    return incident().growth->driver;
  }
};

double share_sum(const Growth& growth) {
  double sum = 0;
  for (const ProcessGrowth& process : growth.processes) sum += process.share;
  return sum;
}

// A trainer of 400 MiB forks three children; one of them grows by 500 MiB in ten seconds.
TEST_F(GrowthTest, the_child_that_grew_is_the_driver_and_the_parent_the_victim) {
  const ProcessRef parent = ref(10, "python3", 1), child[] = {ref(11, "a", 20), ref(12, "b", 20), ref(13, "c", 20)};
  events.at(1).start();
  events.memory(parent, mib(400), 0, kJob);
  events.at(20);
  for (const ProcessRef& one : child) events.fork(parent, one, mib(400));
  for (int i = 1; i <= 100; ++i) {
    events.at(30 + i * 0.1).memory(child[1], mib(400 + i * 5), 0, kJob);
    events.memory(parent, mib(400 + i * 0.1), 0, kJob);
  }
  events.at(40.1);
  kill(parent, mib(410));
  const Incident found = incident();
  ASSERT_TRUE(found.growth);
  ASSERT_TRUE(found.growth->driver);
  EXPECT_EQ(found.growth->driver->pid, 12u);
  EXPECT_GT(found.growth->driver->share, 0.9);
  EXPECT_NEAR(static_cast<double>(growth_of(found, 12).grown_bytes), 500.0 * kMiB, 30.0 * kMiB);
  EXPECT_EQ(growth_of(found, 11).grown_bytes, 0);
  EXPECT_EQ(growth_of(found, 13).grown_bytes, 0);
  EXPECT_NEAR(share_sum(*found.growth), 1.0, 1e-9);
  EXPECT_EQ(found.victims.at(0).pid, 10u);
}

// Of the 400 MiB that two children inherited each copied 100 MiB: 300 MiB are the parent's and theirs still.
TEST_F(GrowthTest, what_the_victim_shares_with_its_children_is_told_with_its_points) {
  const ProcessRef parent = ref(10, "python3", 1), child[] = {ref(11, "a", 20), ref(12, "b", 20)};
  events.at(1).start();
  events.memory(parent, mib(410), 0, kJob);
  events.at(20);
  for (const ProcessRef& one : child) events.fork(parent, one, mib(400));
  events.at(30).memory(child[0], mib(400), 25600, kJob);
  events.memory(child[1], mib(400), 25600, kJob);
  events.at(31);
  kill(parent, mib(410));
  events.candidate(1, parent, mib(410), 0, kJob);
  const std::string summary = incident().selection.summary;
  EXPECT_NE(summary.find("At least 76,800 of its pages (300.0 MiB) are shared with children that it forked"),
            std::string::npos)
      << summary;
}

TEST_F(GrowthTest, a_victim_whose_children_are_gone_shares_nothing) {
  const ProcessRef parent = ref(10, "python3", 1), child = ref(11, "a", 20);
  events.at(1).start();
  events.memory(parent, mib(410), 0, kJob);
  events.at(20).fork(parent, child, mib(400));
  events.at(30).memory(child, mib(400), 0, kJob);
  events.at(30.5).exit(child);
  events.at(31);
  kill(parent, mib(410));
  events.candidate(1, parent, mib(410), 0, kJob);
  EXPECT_EQ(incident().selection.summary.find("shared with"), std::string::npos);
}

TEST_F(GrowthTest, what_is_inherited_at_fork_is_nobodys_growth) {
  const ProcessRef parent = ref(10, "python3", 1), child = ref(11, "python3", 20);
  events.at(1).start();
  events.memory(parent, mib(100), 0, kJob);
  events.at(10).memory(parent, mib(400), 0, kJob);
  events.at(20).fork(parent, child, mib(400));
  events.at(21).memory(child, mib(400), 0, kJob);
  events.at(22).memory(child, mib(402), 0, kJob);
  events.at(23);
  kill(parent, mib(400));
  const Incident found = incident();
  ASSERT_TRUE(found.growth);
  EXPECT_EQ(growth_of(found, 11).grown_bytes, 2 * kMiB);
}

TEST_F(GrowthTest, dropping_inherited_pages_gives_nothing_back) {
  const ProcessRef parent = ref(10, "python3", 1), child = ref(11, "python3", 20);
  start_and_fork(parent, child, 400);
  events.at(21).memory(child, mib(100), 0, kJob);
  events.at(22).memory(parent, mib(500), 0, kJob);
  events.at(23);
  kill(parent, mib(500));
  EXPECT_EQ(growth_of(incident(), 11).grown_bytes, 0);
}

TEST_F(GrowthTest, copies_count_for_the_process_that_wrote) {
  const ProcessRef parent = ref(10, "python3", 1), child = ref(11, "python3", 20);
  start_and_fork(parent, child, 400);
  for (int i = 0; i <= 50; ++i) events.at(21 + i * 0.2).memory(child, mib(400), i * 1280, kJob);
  events.at(31.2);
  kill(parent, mib(400));
  const Incident found = incident();
  EXPECT_EQ(growth_of(found, 11).fresh_anon_bytes, 0);
  EXPECT_NEAR(static_cast<double>(growth_of(found, 11).cow_copied_bytes.value_or(0)), 250.0 * kMiB, 10.0 * kMiB);
  EXPECT_EQ(found.growth->driver->pid, 11u);
}

TEST_F(GrowthTest, more_than_was_inherited_is_never_copied) {
  const ProcessRef parent = ref(10, "python3", 1), child = ref(11, "python3", 20);
  start_and_fork(parent, child, 40);
  events.at(21).memory(child, mib(40), 0, kJob);
  events.at(22).memory(child, mib(40), 1000000, kJob);
  events.at(23);
  kill(parent, mib(40));
  EXPECT_EQ(growth_of(incident(), 11).cow_copied_bytes, 40 * kMiB);
}

TEST_F(GrowthTest, a_process_under_a_used_pid_begins_anew) {
  events.at(1).start();
  events.memory(ref(10, "old", 1), mib(700), 0, kJob);
  events.at(5).exit(ref(10, "old", 1));
  events.at(6).memory(ref(10, "new", 6), mib(1), 0, kJob);
  for (int i = 1; i <= 20; ++i) events.at(6 + i * 0.2).memory(ref(10, "new", 6), mib(i * 20), 0, kJob);
  events.at(10.1);
  kill(ref(10, "new", 6), mib(400));
  const Incident found = incident();
  EXPECT_EQ(growth_of(found, 10).comm, "new");
  EXPECT_NEAR(static_cast<double>(growth_of(found, 10).grown_bytes), 400.0 * kMiB, 21.0 * kMiB);
}

TEST_F(GrowthTest, processes_outside_of_the_cgroup_do_not_count) {
  const ProcessRef mine = ref(10, "mine"), other = ref(11, "other"), below = ref(12, "below"), near = ref(13, "near");
  events.at(1).start();
  for (int i = 0; i <= 20; ++i) {
    events.at(2 + i * 0.2);
    events.memory(mine, mib(100 + i), 0, kJob);
    events.memory(other, mib(100 + i * 100), 0, {78, "/elsewhere"});
    events.memory(below, mib(10 + i), 0, {79, "/job/inner"});
    events.memory(near, mib(10 + i * 50), 0, {80, "/job2"});
  }
  events.at(6.1);
  kill(mine, mib(120));
  const Incident found = incident();
  EXPECT_GT(growth_of(found, 10).grown_bytes, 0);
  EXPECT_GT(growth_of(found, 12).grown_bytes, 0);
  EXPECT_EQ(growth_of(found, 11).grown_bytes, 0);
  EXPECT_EQ(growth_of(found, 13).grown_bytes, 0);
}

TEST_F(GrowthTest, a_start_long_before_is_not_part_of_the_window) {
  // The trainer takes 500 MiB at once and stays; a neighbour grows slowly until the limit.
  const ProcessRef trainer = ref(10, "python3", 1), neighbour = ref(11, "sidecar", 1);
  events.at(1).start();
  for (int i = 0; i <= 20; ++i) events.at(2 + i * 0.1).memory(trainer, mib(10 + i * 24.5), 0, kJob);
  for (int i = 0; i <= 200; ++i) events.at(6 + i * 0.5).memory(neighbour, mib(5 + i), 0, kJob);
  events.at(106.2);
  kill(trainer, mib(500));
  const Incident found = incident();
  ASSERT_TRUE(found.growth);
  EXPECT_EQ(found.growth->driver->pid, 11u);
  EXPECT_GT(found.growth->driver->share, 0.95);
  EXPECT_GE(*found.growth->from, "2026-03-24T14:20:04");
}

// As Linux 7.3.4 was seen: a bystander's last 4 MiB, below the threshold of an event, are told at the kill only.
TEST_F(GrowthTest, what_the_kill_tells_of_a_bystander_is_no_phase_of_its_own) {
  const ProcessRef shell = ref(9, "sh", 0.5), beside = ref(10, "beside", 1.29), hog = ref(11, "hog", 1.292);
  events.at(1).start();
  for (const ProcessRef& one : {beside, hog}) {
    events.at(1.29).fork(shell, one, mib(0.1));
    events.at(1.3).exec(one, "/bin/grow", "grow", 9);
  }
  events.at(1.324).memory(beside, mib(3.6), 0, kJob);
  const double held[] = {3.5, 13.7, 20.5, 29, 39};
  for (int i = 0; i < 5; ++i) events.at(1.435 + i * 0.1015).memory(hog, mib(held[i]), 0, kJob);
  events.at(1.869);
  kill(hog, mib(39.7));
  events.candidate(1, hog, mib(39.7), 0, kJob);
  events.candidate(1, beside, mib(8), 200, kJob);
  EXPECT_EQ(incident().growth->driver->pid, 11u);
}

// Both wrote within one second, too quickly for events of their own: the census tells one behind the other.
TEST_F(GrowthTest, what_one_census_tells_of_two_is_no_order) {
  const ProcessRef trainer = ref(10, "python3", 1), beside = ref(11, "sidecar", 1), hog = ref(12, "hog", 1);
  events.at(1).start();
  for (const ProcessRef& one : {trainer, beside, hog}) events.memory(one, mib(10), 0, kJob);
  events.at(8).memory(trainer, mib(60), 0, kJob);
  events.at(8.000003).memory(beside, mib(60), 0, kJob);
  events.at(10.5);
  kill(trainer, mib(60));
  const Incident found = incident();
  EXPECT_EQ(growth_of(found, 10).fresh_anon_bytes, 50 * kMiB);
  EXPECT_EQ(growth_of(found, 11).fresh_anon_bytes, 50 * kMiB);
}

// A trainer that leaks steadily is told of by thresholds, its workers, which creep, once a second and all at once.
TEST_F(GrowthTest, helpers_that_one_census_tells_of_are_no_phase_before_a_steady_leak) {
  const ProcessRef trainer = ref(10, "python3", 1), first = ref(11, "w", 2), second = ref(12, "w", 2),
                   third = ref(13, "w", 2);
  events.at(1).start();
  events.memory(trainer, mib(100), 0, kJob);
  events.at(2);
  for (const ProcessRef& worker : {first, second, third}) events.fork(trainer, worker, mib(0));
  for (int i = 1; i <= 120; ++i) {
    events.at(30 + i * 0.1).memory(trainer, mib(100 + i * 0.9), 0, kJob);
    if (i % 10 != 3) continue;
    for (const ProcessRef& worker : {first, second, third}) events.memory(worker, mib(i * 0.2), 0, kJob);
  }
  events.at(42.2);
  kill(trainer, mib(208));
  const Incident found = incident();
  ASSERT_TRUE(found.growth);
  EXPECT_LT(*found.growth->from, "2026-03-24T14:20:32") << "the leak began 12 s before the kill";
  EXPECT_GT(found.growth->grown_bytes, 150 * kMiB);
}

TEST_F(GrowthTest, the_window_begins_where_a_calm_time_ends) {
  const ProcessRef trainer = ref(10, "python3", 1);
  events.at(1).start();
  for (int i = 0; i <= 20; ++i) events.at(2 + i * 0.1).memory(trainer, mib(i * 20), 0, kJob);
  for (int i = 0; i < 100; ++i) events.at(10 + i).memory(trainer, mib(400 + i % 2), 0, kJob);
  for (int i = 0; i <= 10; ++i) events.at(110 + i * 0.1).memory(trainer, mib(400 + i * 40), 0, kJob);
  events.at(111.1);
  kill(trainer, mib(800));
  const Incident found = incident();
  ASSERT_TRUE(found.growth->from);
  EXPECT_GE(*found.growth->from, "2026-03-24T14:21:48");
  EXPECT_NEAR(static_cast<double>(growth_of(found, 10).grown_bytes), 400.0 * kMiB, 9.0 * kMiB);
}

TEST_F(GrowthTest, a_role_drives_where_no_process_stands_out) {
  const ProcessRef trainer = ref(10, "python3", 1);
  events.at(1).start();
  events.memory(trainer, mib(300), 0, kJob);
  for (std::uint32_t pid = 11; pid <= 14; ++pid) events.at(2).fork(trainer, ref(pid, "pt_data_worker", 2), mib(300));
  for (int i = 0; i <= 40; ++i) {
    events.at(3 + i * 0.1);
    for (std::uint32_t pid = 11; pid <= 14; ++pid) {
      events.memory(ref(pid, "pt_data_worker", 2), mib(300), static_cast<std::uint64_t>(i) * 640, kJob);
    }
  }
  events.at(7.1);
  kill(trainer, mib(300));
  const Incident found = incident();
  ASSERT_TRUE(found.growth->driver);
  EXPECT_EQ(found.growth->driver->pid, std::nullopt);
  EXPECT_EQ(found.growth->driver->role, "dataloader_worker");
  EXPECT_EQ(found.growth->roles.at(0).count, 4u);
}

TEST_F(GrowthTest, among_programs_of_no_role_who_grew_most_by_far_is_the_driver) {
  const auto driver = driver_of_a_crowd(12);
  ASSERT_TRUE(driver);
  EXPECT_EQ(driver->pid, 13u);
  EXPECT_NEAR(driver->share, 12.0 / 37, 0.02);
}

void expect_together(const std::optional<Driver>& driver) {
  ASSERT_TRUE(driver);
  EXPECT_EQ(driver->pid, std::nullopt);
  EXPECT_EQ(driver->role, "other");
}

TEST_F(GrowthTest, programs_of_no_role_that_grew_alike_stand_together) { expect_together(driver_of_a_crowd(7)); }

TEST_F(GrowthTest, among_many_programs_of_no_role_none_with_a_small_part_stands_out) {
  expect_together(driver_of_a_crowd(12, 30));
}

// A damaged trace may tell that each of two processes is the other's child; the reader must get to its end.
TEST_F(GrowthTest, parents_in_a_circle_hold_up_nobody) {
  constexpr CgroupRef kOther{78, "/other"};
  const ProcessRef first = ref(10, "server", 1), second = ref(11, "server", 2), worker = ref(12, "server", 3);
  events.at(1).start();
  events.memory(first, mib(10), 0, kOther);
  events.at(2).fork(first, second, mib(10));
  events.memory(second, mib(10), 0, kOther);
  events.at(2.5).fork(second, first, mib(10));
  events.at(3).fork(second, worker, mib(10));
  for (int i = 0; i <= 10; ++i) events.at(4 + i * 0.1).memory(worker, mib(10, 0, i * 30), 0, kJob);
  events.at(5.1);
  kill(worker, mib(10, 0, 300));
  EXPECT_TRUE(incident().growth);
}

TEST_F(GrowthTest, shared_memory_that_several_map_counts_once) {
  const ProcessRef parent = ref(10, "server", 1);
  events.at(1).start();
  events.memory(parent, mib(10, 0, 0), 0, kJob);
  for (std::uint32_t pid = 11; pid <= 13; ++pid) {
    events.at(2).fork(parent, ref(pid, "server", 2), mib(10));
    events.memory(ref(pid, "server", 2), mib(10), 0, kJob);
  }
  for (int i = 1; i <= 10; ++i) events.at(3 + i * 0.1).memory(parent, mib(10, 0, i * 30), 0, kJob);
  for (std::uint32_t pid = 11; pid <= 13; ++pid) {
    for (int i = 1; i <= 10; ++i) events.at(4 + i * 0.1).memory(ref(pid, "server", 2), mib(10, 0, i * 30), 0, kJob);
  }
  events.at(5.1);
  kill(parent, mib(10, 0, 300));
  const Incident found = incident();
  std::int64_t sum = 0;
  for (const ProcessGrowth& process : found.growth->processes) sum += process.shmem_bytes.value_or(0);
  EXPECT_LE(sum, 300 * kMiB);
  EXPECT_EQ(found.growth->driver->pid, 10u);
}

TEST_F(GrowthTest, what_was_swapped_out_is_not_given_back) {
  const ProcessRef process = ref(10, "x", 1);
  events.at(1).start();
  events.memory(process, mib(300), 0, kJob);
  events.at(2).memory(process, mib(100, 0, 0, 200), 0, kJob);
  events.at(3).memory(process, mib(350, 0, 0, 200), 0, kJob);
  events.at(3.1);
  kill(process, mib(350, 0, 0, 200));
  const Incident found = incident();
  EXPECT_GE(growth_of(found, 10).grown_bytes, 240 * kMiB);
}

TEST_F(GrowthTest, the_dead_gave_back_what_they_had) {
  const ProcessRef stays = ref(10, "stays", 1), gone = ref(11, "gone", 2);
  events.at(1).start();
  events.memory(stays, mib(10), 0, kJob);
  for (int i = 1; i <= 10; ++i) events.at(2 + i * 0.1).memory(gone, mib(i * 50), 0, kJob);
  events.at(3.2).exit(gone);
  for (int i = 1; i <= 10; ++i) events.at(4 + i * 0.1).memory(stays, mib(10 + i * 30), 0, kJob);
  events.at(5.1);
  kill(stays, mib(310));
  const Incident found = incident();
  EXPECT_LE(growth_of(found, 11).grown_bytes, 0);
  EXPECT_EQ(found.growth->driver->pid, 10u);
}

TEST_F(GrowthTest, an_exec_begins_with_nothing) {
  const ProcessRef shell = ref(10, "bash", 1), child = ref(11, "bash", 2);
  events.at(1).start();
  events.memory(shell, mib(5), 0, kJob);
  events.at(2).fork(shell, child, mib(5));
  events.at(2.1).exec(child, "/usr/bin/hog", "hog", 10);
  for (int i = 1; i <= 20; ++i) events.at(2.1 + i * 0.1).memory(child, mib(i * 10), 0, kJob);
  events.at(4.2);
  kill(child, mib(200));
  EXPECT_NEAR(static_cast<double>(growth_of(incident(), 11).grown_bytes), 200.0 * kMiB, 11.0 * kMiB);
}

TEST_F(GrowthTest, a_kill_without_any_history_has_no_growth) {
  events.at(1).start();
  kill(ref(10, "x"), mib(100));
  const Incident found = incident();
  EXPECT_FALSE(found.growth);
  EXPECT_FALSE(found.complete);
  EXPECT_TRUE(std::any_of(found.missing.begin(), found.missing.end(),
                          [](const std::string& text) { return text.starts_with("Who grew"); }));
}

TEST_F(GrowthTest, lost_events_are_noted) {
  events.at(1).start();
  events.memory(ref(10, "x"), mib(10), 0, kJob);
  events.at(2).lost("ring.growth", 42);
  events.at(3);
  kill(ref(10, "x"), mib(100));
  const Report all = report();
  EXPECT_EQ(all.source.lost_events, 42u);
  ASSERT_FALSE(all.source.notes.empty());
  EXPECT_EQ(all.source.notes.at(0), "42 events lost from ring.growth");
  const auto& missing = all.incidents.at(0).missing;
  EXPECT_TRUE(std::any_of(missing.begin(), missing.end(),
                          [](const std::string& text) { return text.starts_with("42 events about processes"); }));
}

// The kernel's log of a kill is complete when that of the next begins, and is read behind the events of the next.
TEST_F(GrowthTest, what_the_log_says_of_an_earlier_kill_is_not_what_a_process_holds_by_now) {
  const ProcessRef first = ref(10, "first", 1), second = ref(11, "second", 1);
  events.at(1).start();
  events.memory(first, mib(400), 0, kJob);
  events.memory(second, mib(100), 0, kJob);
  events.at(10);
  kill(first, mib(400));
  events.candidate(1, second, mib(100), 0, kJob);
  for (int i = 1; i <= 50; ++i) events.at(11 + i * 0.1).memory(second, mib(100 + i * 10), 0, kJob);
  events.at(16.1).emit(test::memcg_kill(2, second, mib(600), kJob, 1000 * kMiB));
  OomCandidate logged;
  logged.incident_id = 1;
  logged.process = ref(11, "second", 1);
  logged.memory = mib(100);
  logged.oom_score_adj = 0;
  logged.provenance = Provenance::kKernelLog;
  events.at(10.01).emit(logged);
  const Report all = report();
  ASSERT_EQ(all.incidents.size(), 2u);
  const Incident& found = all.incidents[1];
  ASSERT_TRUE(found.growth && found.growth->driver);
  EXPECT_EQ(found.growth->driver->pid, 11u);
  EXPECT_EQ(found.growth->grown_bytes, 500 * kMiB);
}

}  // namespace
}  // namespace oomtrace::analysis
