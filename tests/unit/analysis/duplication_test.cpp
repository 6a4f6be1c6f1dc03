// SPDX-License-Identifier: Apache-2.0
// The same region copied by several, told from different regions copied by each.
#include "analysis_support.h"

namespace oomtrace::analysis {
namespace {

constexpr std::uint64_t kRegion = 2 << 20;
constexpr std::uint64_t kPages = kRegion / test::kPageSize;

// A trainer whose `workers` have copied `each_mib` MiB, and the kill right after.
struct DuplicationTest : JobKillTest {
  const ProcessRef trainer = ref(10, "python3", 1);

  void workers_copy(std::uint32_t workers, std::uint64_t each_mib) {
    events.at(1).start();
    events.memory(trainer, mib(400), 0, kJob);
    for (std::uint32_t i = 0; i < workers; ++i) events.at(2).fork(trainer, worker(i), mib(400));
    for (std::uint64_t step = 0; step <= each_mib; step += 4) {
      for (std::uint32_t i = 0; i < workers; ++i)
        events.at(3 + 0.05 * static_cast<double>(step))
            .memory(worker(i), mib(400), step * kMiB / test::kPageSize, kJob);
    }
    kill(trainer, mib(400));
  }
  static ProcessRef worker(std::uint32_t i) { return ref(11 + i, "pt_data_worker", 2); }

  void wrote(const ProcessRef& process, std::uint64_t first_region, std::uint64_t regions,
             std::uint64_t faults = kPages, std::uint64_t incident_id = 1) {
    wrote_in(kRegion, process, first_region, regions, faults, incident_id);
  }
  void wrote_in(std::uint64_t region_bytes, const ProcessRef& process, std::uint64_t first_region,
                std::uint64_t regions, std::uint64_t faults, std::uint64_t incident_id = 1) {
    ProcessRegions told;
    told.process = process;
    told.region_bytes = region_bytes;
    told.incident_id = incident_id;
    for (std::uint64_t i = 0; i < regions; ++i)
      told.regions.push_back({(0x7f0000000000 / region_bytes + first_region + i) * region_bytes, faults});
    events.emit(told);
  }
  void charge(double anon_mib, Opt<std::uint64_t> incident_id) {
    CgroupMemory memory;
    memory.cgroup = kJob;
    memory.version = 1;
    memory.anon = static_cast<std::uint64_t>(anon_mib) * kMiB;
    memory.file = incident_id ? 400 * kMiB : 0;
    memory.incident_id = incident_id;
    events.emit(memory);
  }
  void sample_charge(double at_s, double anon_mib) {
    events.at(at_s);
    charge(anon_mib, {});
  }
  double copied() const {
    const Incident found = incident();
    double sum = 0;
    for (const ProcessGrowth& process : found.growth->processes)
      sum += static_cast<double>(process.cow_copied_bytes.value_or(0));
    return sum;
  }
  void start_beside(const ProcessRef& other, double other_mib, double trainer_mib) {
    events.at(1).start();
    events.memory(other, mib(other_mib), 0, kJob);
    events.memory(trainer, mib(trainer_mib), 0, kJob);
  }
  // What counts as copied of what one worker writes in 25 steps, where the kill finds so much charged.
  double copied_by_one(std::uint64_t pages_a_step, double charged_mib) {
    for (std::uint64_t step = 0; step <= 25; ++step)
      events.at(3 + 0.1 * static_cast<double>(step)).memory(worker(0), mib(400), step * pages_a_step, kJob);
    kill(trainer, mib(400));
    charge(charged_mib, 1);
    return copied();
  }
  Duplicated duplicated() const {
    const Report all = report();
    const Incident found = all.incidents.empty() ? Incident{} : all.incidents.front();
    EXPECT_TRUE(found.growth && found.growth->duplicated);
    return found.growth && found.growth->duplicated ? *found.growth->duplicated : Duplicated{};
  }
};

TEST_F(DuplicationTest, the_same_region_copied_by_all) {
  workers_copy(4, 100);
  for (std::uint32_t i = 0; i < 4; ++i) wrote(worker(i), 0, 50);
  const Duplicated found = duplicated();
  EXPECT_EQ(found.region_bytes, 100u * kMiB);
  EXPECT_EQ(found.copies, 4u);
  EXPECT_EQ(found.copied_bytes, 400 * kMiB);
  EXPECT_EQ(found.duplicated_bytes, 400 * kMiB);
}

TEST_F(DuplicationTest, half_of_it_is_the_same_and_half_is_each_ones_own) {
  workers_copy(4, 100);
  for (std::uint32_t i = 0; i < 4; ++i) {
    wrote(worker(i), 0, 25);
    wrote(worker(i), 1000 + 100 * i, 25);
  }
  const Duplicated found = duplicated();
  EXPECT_EQ(found.region_bytes, 50u * kMiB);
  EXPECT_EQ(found.copies, 4u);
  EXPECT_EQ(found.copied_bytes, 400 * kMiB);
  EXPECT_EQ(found.duplicated_bytes, 200 * kMiB);
}

// The trainer falls, and a worker milliseconds later: what they wrote is read after both.
TEST_F(DuplicationTest, regions_told_with_the_next_kill_are_of_this_one_too) {
  workers_copy(4, 100);
  events.emit(test::memcg_kill(2, worker(3), mib(400), kJob, 1000 * kMiB));
  for (std::uint32_t i = 0; i < 4; ++i) wrote(worker(i), 0, 50, kPages, 2);
  const Duplicated found = duplicated();
  EXPECT_EQ(found.copies, 4u);
  EXPECT_EQ(found.duplicated_bytes, 400 * kMiB);
}

TEST_F(DuplicationTest, who_died_between_two_kills_is_told_with_one_of_them) {
  workers_copy(4, 100);
  events.emit(test::memcg_kill(2, worker(3), mib(400), kJob, 1000 * kMiB));
  wrote(worker(3), 0, 50, kPages, 1);
  for (std::uint32_t i = 0; i < 3; ++i) wrote(worker(i), 0, 50, kPages, 2);
  EXPECT_EQ(duplicated().copies, 4u);
}

TEST_F(DuplicationTest, regions_of_a_kill_long_after_are_not_of_this_one) {
  workers_copy(4, 100);
  events.at(100).emit(test::memcg_kill(2, worker(3), mib(400), kJob, 1000 * kMiB));
  for (std::uint32_t i = 0; i < 4; ++i) wrote(worker(i), 0, 50, kPages, 2);
  EXPECT_FALSE(duplicated().duplicated_bytes);
}

TEST_F(DuplicationTest, regions_of_strangers_leave_likeness_to_stand_in) {
  workers_copy(4, 100);
  wrote(ref(99, "stranger", 1), 0, 50);
  const Duplicated found = duplicated();
  EXPECT_EQ(found.copies, 4u);
  EXPECT_FALSE(found.duplicated_bytes);
}

TEST_F(DuplicationTest, a_region_counts_with_its_least_copier) {
  workers_copy(2, 100);
  wrote(worker(0), 0, 50);
  wrote(worker(1), 0, 100, kPages / 2);
  const Duplicated found = duplicated();
  EXPECT_EQ(found.region_bytes, 50u * kMiB);
  EXPECT_EQ(found.copies, 2u);
}

// Two ranks, each with two workers over its own data set.
struct TwoFamilies : DuplicationTest {
  const ProcessRef other_trainer = ref(20, "python3", 1);
  const std::vector<ProcessRef> others{ref(21, "pt_data_worker", 2), ref(22, "pt_data_worker", 2)};

  void copy(std::uint64_t first_mib, std::uint64_t second_mib) {
    events.at(1).start();
    events.memory(trainer, mib(400), 0, kJob);
    events.memory(other_trainer, mib(400), 0, kJob);
    for (std::uint32_t i = 0; i < 2; ++i) {
      events.at(2).fork(trainer, worker(i), mib(400));
      events.fork(other_trainer, others[i], mib(400));
    }
    for (std::uint64_t step = 0; step <= 25; ++step) {
      events.at(3 + 0.1 * static_cast<double>(step));
      for (std::uint32_t i = 0; i < 2; ++i) {
        events.memory(worker(i), mib(400), step * first_mib * 256 / 25, kJob);
        events.memory(others[i], mib(400), step * second_mib * 256 / 25, kJob);
      }
    }
    events.emit(test::memcg_kill(1, trainer, mib(400), kJob, 2000 * kMiB));
    for (std::uint32_t i = 0; i < 2; ++i) {
      wrote(worker(i), 0, first_mib / 2);
      wrote(others[i], 0, second_mib / 2);
    }
  }
};

TEST_F(TwoFamilies, what_both_copied_counts) {
  copy(100, 50);
  const Duplicated found = duplicated();
  EXPECT_EQ(found.families, 2u);
  EXPECT_EQ(found.copies, 2u);
  EXPECT_EQ(found.region_bytes, 100u * kMiB);
  EXPECT_EQ(found.copied_bytes, 300 * kMiB);
  EXPECT_EQ(found.duplicated_bytes, 300 * kMiB);
  EXPECT_EQ(found.role, "dataloader_worker");
}

TEST_F(TwoFamilies, one_that_copied_next_to_nothing_does_not) {
  copy(100, 10);
  const Duplicated found = duplicated();
  EXPECT_EQ(found.families, 1u);
  EXPECT_EQ(found.copied_bytes, 200 * kMiB);
}

// The data set grew between two forks, and with it the regions of whom was forked then.
TEST_F(DuplicationTest, regions_of_two_widths_are_compared_at_the_wider) {
  workers_copy(2, 128);
  wrote(worker(0), 0, 64);
  wrote_in(32 * kRegion, worker(1), 0, 2, 32 * kPages);
  const Duplicated found = duplicated();
  EXPECT_EQ(found.copies, 2u);
  EXPECT_EQ(found.region_bytes, 128u * kMiB);
}

TEST_F(DuplicationTest, different_regions_are_no_duplicates) {
  workers_copy(4, 100);
  for (std::uint32_t i = 0; i < 4; ++i) wrote(worker(i), 100 * i, 50);
  const Incident found = incident();
  ASSERT_TRUE(found.growth);
  EXPECT_FALSE(found.growth->duplicated);
}

TEST_F(DuplicationTest, faults_from_before_the_window_or_of_reuse_do_not_count) {
  workers_copy(2, 100);
  for (std::uint32_t i = 0; i < 2; ++i) wrote(worker(i), 0, 50, 2 * kPages);
  EXPECT_EQ(duplicated().duplicated_bytes, 200 * kMiB);
}

TEST_F(DuplicationTest, without_regions_likeness_stands_in_and_says_less) {
  workers_copy(4, 100);
  const Duplicated found = duplicated();
  EXPECT_EQ(found.region_bytes, 100u * kMiB);
  EXPECT_EQ(found.copies, 4u);
  EXPECT_EQ(found.copied_bytes, 400 * kMiB);
  EXPECT_FALSE(found.duplicated_bytes);
}

TEST_F(DuplicationTest, hostile_regions_do_no_harm) {
  workers_copy(2, 100);
  ProcessRegions told;
  told.process = worker(0);
  told.region_bytes = UINT64_MAX;
  told.incident_id = 1;
  for (std::uint64_t i = 0; i < 20000; ++i) told.regions.push_back({UINT64_MAX - i, UINT64_MAX});
  told.elsewhere = UINT64_MAX;
  events.emit(told);
  told.process = ref(99, "nobody", 0);
  told.region_bytes = 0;
  events.emit(told);
  EXPECT_TRUE(incident().growth);
}

TEST_F(DuplicationTest, the_driver_names_its_job) {
  workers_copy(4, 100);
  const Incident found = incident();
  ASSERT_TRUE(found.growth && found.growth->driver);
  EXPECT_EQ(found.growth->driver->role, "dataloader_worker");
  EXPECT_EQ(found.growth->driver->job, "python3 (10)");
}

// A recording goes on: the report is made when somebody else has a dead worker's pid.
TEST_F(DuplicationTest, a_pid_that_another_has_taken_since_is_not_that_worker) {
  workers_copy(4, 100);
  for (std::uint32_t i = 0; i < 4; ++i) wrote(worker(i), 0, 50);
  events.at(20).exit(worker(0), 9);
  events.at(30).memory(ref(worker(0).pid, "cron", 30), mib(5), 0, CgroupRef{78, "/system"});
  const Incident found = incident();
  ASSERT_TRUE(found.growth && found.growth->duplicated && found.growth->driver);
  EXPECT_EQ(found.growth->duplicated->copies, 4u);
  EXPECT_EQ(found.growth->duplicated->duplicated_bytes, 400 * kMiB);
  EXPECT_EQ(found.growth->driver->job, "python3 (10)");
}

TEST_F(DuplicationTest, a_victim_that_exits_before_its_mark_was_there) {
  events.at(1).start();
  events.memory(trainer, mib(400), 0, kJob);
  events.at(2).fork(trainer, worker(0), mib(400));
  for (std::uint64_t i = 0; i <= 20; ++i)
    events.at(3 + 0.05 * static_cast<double>(i)).memory(worker(0), mib(400), i * 1280, kJob);
  events.at(4.049).exit(worker(0), 9, true);
  events.at(4.05).emit(test::memcg_kill(1, worker(0), mib(400), kJob, 1000 * kMiB));
  EXPECT_NEAR(static_cast<double>(growth_of(incident(), 11).cow_copied_bytes.value_or(0)), 100.0 * kMiB, 6.0 * kMiB);
}

// The last owner of a page reuses it: what the cgroup was charged for says how many were copies.
TEST_F(DuplicationTest, copies_beyond_the_charge_are_taken_off) {
  events.at(1).start();
  events.memory(trainer, mib(400), 0, kJob);
  charge(400, {});
  for (std::uint32_t i = 0; i < 2; ++i) events.at(2).fork(trainer, worker(i), mib(400));
  for (std::uint64_t step = 0; step <= 25; ++step) {
    events.at(3 + 0.1 * static_cast<double>(step)).memory(trainer, mib(400), step * 1024, kJob);
    for (std::uint32_t i = 0; i < 2; ++i) events.memory(worker(i), mib(400), step * 1024, kJob);
  }
  kill(trainer, mib(400));
  charge(600, 1);
  EXPECT_NEAR(copied(), 200.0 * kMiB, 1.0 * kMiB);
}

// The window begins with a fork, and the only sample before it is of a trainer that grew at that moment.
TEST_F(DuplicationTest, the_charge_is_known_from_the_first_sample_in_the_window) {
  events.at(1).start();
  events.memory(trainer, mib(90), 0, kJob);
  sample_charge(1.1, 100);
  events.at(1.2).memory(trainer, mib(250), 0, kJob);
  events.at(1.6).memory(trainer, mib(400), 0, kJob);
  events.at(1.7).fork(trainer, worker(0), mib(400));
  sample_charge(2, 400);
  EXPECT_NEAR(copied_by_one(4096, 600), 200.0 * kMiB, 1.0 * kMiB);
}

// The census comes behind the sample: the launcher's 40 MiB were in it, though not yet told when the window begins.
TEST_F(DuplicationTest, a_sample_newer_than_the_figures_takes_no_copies_off) {
  const ProcessRef launcher = ref(9, "bash", 0.5);
  start_beside(launcher, 5, 400);
  sample_charge(2, 445);
  events.at(2.01).fork(trainer, worker(0), mib(400));
  events.at(2.03).memory(launcher, mib(45), 0, kJob);
  EXPECT_NEAR(copied_by_one(2048, 645), 200.0 * kMiB, 1.0 * kMiB);
}

// Who ended between the sample and the window gave back what the sample has.
TEST_F(DuplicationTest, what_the_dead_gave_back_takes_no_copies_off) {
  const ProcessRef gone = ref(9, "python3", 0.5);
  start_beside(gone, 700, 90);
  sample_charge(1.1, 790);
  events.at(1.4).exit(gone);
  events.at(1.5).memory(trainer, mib(250), 0, kJob);
  events.at(1.6).memory(trainer, mib(400), 0, kJob);
  events.at(1.7).fork(trainer, worker(0), mib(400));
  EXPECT_NEAR(copied_by_one(2048, 600), 200.0 * kMiB, 1.0 * kMiB);
}

// The window of the growth, in 60 steps: the workers climb, the trainer stays.
TEST_F(DuplicationTest, the_timeline_shows_who_climbed) {
  workers_copy(4, 100);
  const Incident found = incident();
  ASSERT_TRUE(found.growth && found.growth->timeline);
  const GrowthTimeline& timeline = *found.growth->timeline;
  EXPECT_GT(timeline.length_ns, 1'000'000'000u);
  ASSERT_EQ(timeline.roles.size(), 2u);
  const RoleTimeline& workers = timeline.roles[0].role == "dataloader_worker" ? timeline.roles[0] : timeline.roles[1];
  const RoleTimeline& trainers = timeline.roles[0].role == "trainer" ? timeline.roles[0] : timeline.roles[1];
  ASSERT_EQ(workers.held_bytes.size(), 61u);
  EXPECT_LT(workers.held_bytes.front(), 20 * kMiB);
  EXPECT_EQ(workers.held_bytes.back(), 400 * kMiB);
  EXPECT_TRUE(std::is_sorted(workers.held_bytes.begin(), workers.held_bytes.end()));
  EXPECT_EQ(trainers.held_bytes.front(), 400 * kMiB);
  EXPECT_EQ(trainers.held_bytes.back(), 400 * kMiB);
}

}  // namespace
}  // namespace oomtrace::analysis
