// SPDX-License-Identifier: Apache-2.0
// Causes in the trainer itself: bursts, checkpoints, steady growth, limits; each as it is, and what looks like it.
#include "training_support.h"

namespace oomtrace::analysis {
namespace {

// --- offload_burst ---

TEST_F(TrainingTest, a_jump_out_of_a_calm_level_is_an_offload_burst) {
  begin_trainer(100);
  rise(trainer, 100, 500, 1, 4);
  rise(trainer, 500, 502, 4, 30);
  rise(trainer, 502, 990, 30, 31.5);
  kill(trainer, 990);
  const Incident found = incident();
  EXPECT_EQ(found.cause.kind, "offload_burst") << found.cause.summary;
  EXPECT_EQ(found.growth->driver->pid, trainer.pid);
  EXPECT_NEAR(figure(found.cause, "taken in the burst"), 488.0 * kMiB, 20.0 * kMiB);
  EXPECT_NEAR(figure(found.cause, "calm before"), 26e9, 2e9);
  ASSERT_FALSE(found.remedies.empty());
  EXPECT_TRUE(found.remedies.front().code);
}

TEST_F(TrainingTest, an_offload_library_makes_a_burst_surer) {
  begin_trainer(500);
  inform(trainer, "python3 train.py", {"cpu_adam.so"});
  rise(trainer, 500, 502, 4, 30);
  rise(trainer, 502, 990, 30, 31.5);
  kill(trainer, 990);
  EXPECT_GT(incident().cause.confidence, 0.9);
}

TEST_F(TrainingTest, a_one_off_jump_at_the_start_is_no_burst_of_what_kills_later) {
  begin_trainer(100);
  rise(trainer, 100, 600, 1, 2);
  rise(trainer, 600, 990, 10, 60);
  kill(trainer, 990);
  const Incident found = incident();
  EXPECT_FALSE(has(found, "offload_burst")) << found.cause.summary;
  EXPECT_EQ(found.cause.kind, "steady_growth");
}

TEST_F(TrainingTest, growth_without_a_rest_before_it_is_no_burst) {
  begin_trainer(100);
  rise(trainer, 100, 990, 1, 4);
  kill(trainer, 990);
  const Incident found = incident();
  EXPECT_FALSE(has(found, "offload_burst")) << found.cause.summary;
  EXPECT_EQ(found.cause.kind, "limit_below_working_set");
}

TEST_F(TrainingTest, a_jump_of_another_program_is_no_offload) {
  begin();
  const ProcessRef other = ref(20, "indexer", 1);
  start_other(other, 400);
  rise(other, 400, 402, 2, 30);
  rise(other, 402, 990, 30, 31);
  kill(other, 990);
  EXPECT_FALSE(has(incident(), "offload_burst"));
}

// --- checkpoint_spike ---

// Steps that take and give back 100 MiB, from 30 to 60 s; weights written in place beside a forked worker.
struct SteppingTest : TrainingTest {
  void train(double copied_mib) {
    begin_trainer(500);
    events.at(20);
    fork_worker(11, 500);
    double faults = 0;
    during(30, 60, [&](double part) {
      faults += 60;
      level(trainer, static_cast<int>(part * 300) % 2 == 0 ? 500 : 600, 0, copied_mib, faults);
    });
  }
};

TEST_F(SteppingTest, a_copy_of_states_that_were_there_is_a_checkpoint) {
  train(150);
  rise(trainer, 600, 840, 60, 60.5);
  kill(trainer, 840);
  const Incident found = incident();
  EXPECT_EQ(found.cause.kind, "checkpoint_spike") << found.cause.summary;
  EXPECT_GT(found.cause.confidence, 0.7);
  EXPECT_GT(figure(found.cause, "weights written in place before"), 100.0 * kMiB);
}

TEST_F(SteppingTest, a_copy_that_is_held_while_a_busy_disk_writes_it_is_a_checkpoint) {
  train(150);
  rise(trainer, 600, 930, 60, 61);
  rise(trainer, 930, 935, 61, 70);
  kill(trainer, 935);
  const Incident found = incident();
  EXPECT_EQ(found.cause.kind, "checkpoint_spike") << found.cause.summary;
  EXPECT_NEAR(figure(found.cause, "duration of the spike"), 1e9, 0.5e9);
}

TEST_F(SteppingTest, without_forked_workers_the_turnover_of_each_step_tells) {
  begin_trainer(500);
  double faults = 0;
  during(30, 60, [&](double part) {
    faults += 60;
    level(trainer, static_cast<int>(part * 300) % 2 == 0 ? 500 : 600, 0, 0, faults);
  });
  rise(trainer, 600, 940, 60, 60.5);
  kill(trainer, 940);
  EXPECT_EQ(incident().cause.kind, "checkpoint_spike");
}

TEST_F(TrainingTest, earlier_spikes_that_fell_back_are_checkpoints) {
  begin_trainer(500);
  for (const double at : {20.0, 40.0, 60.0}) {
    rise(trainer, 500, 850, at, at + 1);
    rise(trainer, 850, 500, at + 1, at + 2);
  }
  rise(trainer, 560, 561, 62, 80);
  rise(trainer, 561, 980, 80, 81);
  kill(trainer, 980);
  const Incident found = incident();
  EXPECT_EQ(found.cause.kind, "checkpoint_spike") << found.cause.summary;
  EXPECT_GE(figure(found.cause, "earlier spikes that fell back"), 2);
}

TEST_F(SteppingTest, steps_alone_are_no_spike) {
  train(150);
  during(60, 100, [&](double part) {
    level(trainer, 500 + 390 * part + (static_cast<int>(part * 400) % 2 == 0 ? 0 : 100), 0, 150, 18000 + part * 24000);
  });
  kill(trainer, 990);
  const Incident found = incident();
  EXPECT_FALSE(has(found, "checkpoint_spike")) << found.cause.summary;
  EXPECT_EQ(found.cause.kind, "steady_growth");
}

TEST_F(TrainingTest, a_first_jump_of_an_untouched_model_is_no_checkpoint) {
  begin_trainer(500);
  rise(trainer, 500, 501, 2, 30);
  rise(trainer, 501, 980, 30, 31);
  kill(trainer, 980);
  EXPECT_NE(incident().cause.kind, "checkpoint_spike");
}

// --- steady_growth ---

TEST_F(TrainingTest, a_straight_line_is_steady_growth_with_its_pace) {
  begin_trainer(100);
  rise(trainer, 100, 400, 1, 4);
  rise(trainer, 400, 990, 4, 63);
  kill(trainer, 990);
  const Incident found = incident();
  EXPECT_EQ(found.cause.kind, "steady_growth");
  EXPECT_NEAR(figure(found.cause, "pace"), 10.0 * kMiB, 1.0 * kMiB);
  EXPECT_GT(figure(found.cause, "fit of a straight line, r squared"), 0.98);
  EXPECT_NE(found.cause.summary.find("python3 train.py (pid 10)"), std::string::npos) << found.cause.summary;
}

TEST_F(TrainingTest, batches_kept_beside_the_heap_hint_at_graphs) {
  begin_trainer(300);
  during(4, 60, [&](double part) { level(trainer, 300 + 600 * part, 60 * part); });
  ledger(900, 60);
  kill(trainer, 900);
  const Incident found = incident();
  EXPECT_EQ(found.cause.kind, "steady_growth");
  EXPECT_NE(found.cause.summary.find("kept autograd graphs (a loss"), std::string::npos) << found.cause.summary;
}

TEST_F(TrainingTest, growth_that_reached_a_plateau_is_not_steady) {
  begin_trainer(100);
  rise(trainer, 100, 900, 1, 60);
  rise(trainer, 900, 902, 60, 200);
  const ProcessRef other = ref(20, "sidecar", 200);
  start_other(other, 1);
  rise(other, 1, 97, 200, 201);
  kill(trainer, 902);
  const Incident found = incident();
  EXPECT_NE(found.cause.kind, "steady_growth") << found.cause.summary;
  EXPECT_EQ(found.cause.kind, "neighbor_growth");
}

TEST_F(TrainingTest, three_jumps_are_no_steady_pace) {
  begin_trainer(300);
  rise(trainer, 300, 301, 1, 20);
  for (const double at : {20.0, 40.0, 60.0}) {
    const double from = 300 + 230 * (at / 20 - 1);
    rise(trainer, from, from + 229, at, at + 1);
    rise(trainer, from + 229, from + 230, at + 1, at + 20);
  }
  kill(trainer, 990);
  EXPECT_FALSE(has(incident(), "steady_growth"));
}

TEST_F(TrainingTest, one_worker_that_grows_is_named_alone) {
  begin_trainer(200);
  events.at(11);
  fork_worker(11, 200);
  events.at(12);
  fork_worker(12, 200);
  during(20, 60, [&](double part) {
    level(worker(11), 200 + 780 * part);
    level(worker(12), 200 + 4 * part);
  });
  kill(worker(11), 980);
  const Incident found = incident();
  EXPECT_EQ(found.cause.kind, "steady_growth");
  EXPECT_EQ(found.growth->driver->role, "dataloader_worker");
  EXPECT_NE(found.cause.summary.find("(pid 11)"), std::string::npos) << found.cause.summary;
}

// --- limit_below_working_set ---

TEST_F(TrainingTest, a_limit_that_is_reached_while_loading_is_too_low) {
  begin_trainer(10);
  rise(trainer, 10, 990, 1, 4);
  kill(trainer, 990);
  const Incident found = incident();
  EXPECT_EQ(found.cause.kind, "limit_below_working_set");
  ASSERT_FALSE(found.remedies.empty());
  EXPECT_NE(found.remedies.front().title.find("Raise the limit"), std::string::npos);
}

TEST_F(TrainingTest, a_level_at_the_limit_needs_no_growth) {
  begin_trainer(100);
  rise(trainer, 100, 985, 1, 10);
  rise(trainer, 985, 988, 10, 300);
  ledger(988, 0);
  kill(trainer, 988);
  const Incident found = incident();
  EXPECT_EQ(found.cause.kind, "limit_below_working_set") << found.cause.summary;
}

TEST_F(TrainingTest, who_rested_before_is_not_loading) {
  begin_trainer(100);
  rise(trainer, 100, 400, 1, 4);
  rise(trainer, 400, 402, 4, 60);
  rise(trainer, 402, 990, 60, 110);
  kill(trainer, 990);
  EXPECT_FALSE(has(incident(), "limit_below_working_set"));
}

TEST_F(TrainingTest, slow_growth_from_the_start_on_is_no_loading) {
  begin_trainer(10);
  rise(trainer, 10, 990, 1, 120);
  kill(trainer, 990);
  const Incident found = incident();
  EXPECT_FALSE(has(found, "limit_below_working_set"));
  EXPECT_EQ(found.cause.kind, "steady_growth");
}

// --- who would have been taken in its place ---

TEST_F(TrainingTest, where_not_all_candidates_are_known_nobody_is_named_as_the_next) {
  begin_trainer(10);
  rise(trainer, 10, 990, 1, 120);
  kill(trainer, 990);
  const auto warned = [this] {
    const Incident found = incident();
    return std::any_of(found.remedies.begin(), found.remedies.end(), [](const Remedy& remedy) {
      return remedy.title.find("Do not make the trainer immune") != std::string::npos;
    });
  };
  EXPECT_FALSE(warned());
  events.candidate(1, trainer, mib(990), 0, job);
  EXPECT_FALSE(warned());
  events.end(1, 1);
  EXPECT_TRUE(warned());
}

// --- a victim that takes and gives back at each step, beside one that grows ---

TEST_F(SteppingTest, what_a_trainer_takes_at_every_step_is_not_its_growth) {
  begin_trainer(500);
  const ProcessRef other = ref(20, "sidecar", 1);
  start_other(other, 20);
  double faults = 0;
  during(30, 90, [&](double part) {
    faults += 60;
    level(trainer, static_cast<int>(part * 600) % 2 == 1 ? 500 : 600, 0, 0, faults);
    level(other, 20 + 360 * part);
  });
  kill(trainer, 600);
  const Incident found = incident();
  EXPECT_EQ(found.growth->driver->pid, 20u);
  EXPECT_GT(found.growth->driver->share, 0.95);
  EXPECT_EQ(found.cause.kind, "neighbor_growth");
}

}  // namespace
}  // namespace oomtrace::analysis
