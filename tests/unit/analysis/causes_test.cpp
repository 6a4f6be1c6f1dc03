// SPDX-License-Identifier: Apache-2.0
// Causes: each pattern once as it is, and the pictures that look like it and are something else.
#include "analysis_support.h"

namespace oomtrace::analysis {
namespace {

struct CausesTest : JobKillTest {
  const ProcessRef trainer = ref(10, "python3", 1);
  const ProcessRef sidecar = ref(20, "sidecar", 1);

  bool has(const Incident& incident, std::string_view kind) const {
    if (incident.cause.kind == kind) return true;
    return std::any_of(incident.contributing.begin(), incident.contributing.end(),
                       [&](const Cause& cause) { return cause.kind == kind; });
  }
  // Both grow from 30 s on by so many MiB in 20 s.
  void grow(double trainer_from, double trainer_by, double sidecar_from, double sidecar_by) {
    events.at(1).start();
    events.memory(trainer, mib(trainer_from), 0, kJob);
    events.memory(sidecar, mib(sidecar_from), 0, kJob);
    for (int i = 1; i <= 200; ++i) {
      events.at(30 + i * 0.1);
      events.memory(trainer, mib(trainer_from + trainer_by * i / 200), 0, kJob);
      events.memory(sidecar, mib(sidecar_from + sidecar_by * i / 200), 0, kJob);
    }
    events.at(50.1);
  }
  void weigh(double trainer_mib, std::int32_t trainer_adj, double sidecar_mib, std::int32_t sidecar_adj) {
    events.candidate(1, trainer, mib(trainer_mib), trainer_adj, kJob,
                     trainer_adj == -1000 ? Excluded::kAdjMin : Excluded::kNot);
    events.candidate(1, sidecar, mib(sidecar_mib), sidecar_adj, kJob,
                     sidecar_adj == -1000 ? Excluded::kAdjMin : Excluded::kNot);
  }
};

// --- neighbor_growth ---

TEST_F(CausesTest, a_leaking_sidecar_beside_a_steady_trainer_is_a_neighbor) {
  grow(560, 4, 20, 160);
  kill(trainer, mib(564));
  weigh(564, 0, 180, 0);
  const Incident found = incident();
  EXPECT_EQ(found.cause.kind, "neighbor_growth");
  EXPECT_GT(found.cause.confidence, 0.8);
  EXPECT_LE(found.cause.confidence, 1.0);
  EXPECT_GE(found.cause.evidence.size(), 3u);
  EXPECT_NE(found.cause.summary.find("sidecar (pid 20)"), std::string::npos) << found.cause.summary;
}

TEST_F(CausesTest, a_victim_that_grew_itself_has_no_neighbor_to_blame) {
  grow(400, 160, 20, 4);
  kill(trainer, mib(560));
  weigh(560, 0, 24, 0);
  EXPECT_FALSE(has(incident(), "neighbor_growth"));
}

TEST_F(CausesTest, where_both_grow_alike_nobody_is_the_neighbor) {
  grow(400, 100, 100, 110);
  kill(trainer, mib(500));
  weigh(500, 0, 210, 0);
  EXPECT_FALSE(has(incident(), "neighbor_growth"));
}

TEST_F(CausesTest, a_victim_with_a_third_of_the_growth_is_not_innocent) {
  grow(400, 80, 20, 160);
  kill(trainer, mib(480));
  weigh(480, 0, 180, 0);
  EXPECT_FALSE(has(incident(), "neighbor_growth"));
}

TEST_F(CausesTest, a_worker_of_the_victims_own_family_is_no_neighbor) {
  const ProcessRef worker = ref(11, "pt_data_worker", 2);
  events.at(1).start();
  events.memory(trainer, mib(400), 0, kJob);
  events.at(2).fork(trainer, worker, mib(400));
  for (int i = 1; i <= 200; ++i) events.at(30 + i * 0.1).memory(worker, mib(400 + i), 0, kJob);
  events.at(50.1);
  kill(trainer, mib(400));
  EXPECT_FALSE(has(incident(), "neighbor_growth"));
}

// --- immune_process_growth ---

TEST_F(CausesTest, a_small_process_offered_by_its_adjustment_dies_for_the_one_that_grew) {
  grow(200, 150, 42, 0);
  kill(sidecar, mib(42), 1000);
  weigh(350, 0, 42, 1000);
  const Incident found = incident();
  EXPECT_EQ(found.cause.kind, "immune_process_growth");
  EXPECT_FALSE(has(found, "neighbor_growth"));
}

TEST_F(CausesTest, a_grower_that_may_not_be_killed_is_immune) {
  grow(600, 10, 50, 650);
  kill(trainer, mib(610));
  weigh(610, 0, 700, -1000);
  const Incident found = incident();
  EXPECT_EQ(found.cause.kind, "immune_process_growth");
  EXPECT_NE(found.cause.summary.find("sidecar (pid 20)"), std::string::npos) << found.cause.summary;
}

TEST_F(CausesTest, a_protected_process_that_is_not_the_largest_spared_nobody) {
  grow(600, 10, 50, 150);
  kill(trainer, mib(610));
  weigh(610, 0, 200, -1000);
  const Incident found = incident();
  EXPECT_FALSE(has(found, "immune_process_growth"));
  EXPECT_EQ(found.cause.kind, "neighbor_growth");
}

TEST_F(CausesTest, a_protected_large_process_that_did_not_grow_is_not_the_cause) {
  grow(300, 150, 500, 0);
  kill(trainer, mib(450));
  weigh(450, 0, 500, -1000);
  EXPECT_FALSE(has(incident(), "immune_process_growth"));
}

TEST_F(CausesTest, a_victim_that_grew_more_than_the_protected_one_is_not_innocent) {
  grow(300, 150, 500, 100);
  kill(trainer, mib(450));
  weigh(450, 0, 600, -1000);
  EXPECT_FALSE(has(incident(), "immune_process_growth"));
}

// --- dataloader_duplication ---

struct WorkersTest : CausesTest {
  // Four forked workers under `comm`, each with so many MiB fresh and copied in ten seconds.
  void workers(const char* comm, double fresh, double copied, double shmem = 0) {
    events.at(1).start();
    events.exec(trainer, "/usr/bin/python3", "python3 train.py", 1);
    events.memory(trainer, mib(400), 0, kJob);
    for (std::uint32_t pid = 11; pid <= 14; ++pid) events.at(20).fork(trainer, ref(pid, comm, 20), mib(400));
    for (int i = 1; i <= 100; ++i) {
      events.at(30 + i * 0.1);
      for (std::uint32_t pid = 11; pid <= 14; ++pid) {
        events.memory(ref(pid, comm, 20), mib(400 + fresh * i / 100, 0, shmem * i / 100),
                      static_cast<std::uint64_t>(copied * 256 * i / 100), kJob);
      }
    }
    events.at(40.1);
    kill(trainer, mib(400));
  }
};

TEST_F(WorkersTest, workers_that_copy_what_they_inherited_duplicate) {
  workers("pt_data_worker", 2, 120);
  const Incident found = incident();
  EXPECT_EQ(found.cause.kind, "dataloader_duplication");
  EXPECT_GT(found.cause.confidence, 0.85);
  EXPECT_EQ(found.cause.evidence.at(0).value, 4);
  ASSERT_TRUE(found.growth->duplicated);
  EXPECT_EQ(found.growth->duplicated->copies, 4u);
}

TEST_F(WorkersTest, workers_that_fill_fresh_memory_do_not) {
  workers("pt_data_worker", 120, 2);
  const Incident found = incident();
  EXPECT_FALSE(has(found, "dataloader_duplication"));
  EXPECT_FALSE(found.growth->duplicated);
}

TEST_F(WorkersTest, workers_that_fill_shared_memory_do_not) {
  workers("pt_data_worker", 2, 2, 120);
  EXPECT_FALSE(has(incident(), "dataloader_duplication"));
}

TEST_F(WorkersTest, a_few_copied_pages_of_good_workers_explain_nothing) {
  workers("pt_data_worker", 1, 4);
  EXPECT_FALSE(has(incident(), "dataloader_duplication"));
}

TEST_F(WorkersTest, forked_children_that_load_no_data_are_not_called_so) {
  workers("nginx", 2, 120);
  EXPECT_FALSE(has(incident(), "dataloader_duplication"));
}

// --- kills whose memory nobody holds ---

struct NobodysMemoryTest : CausesTest {
  void machine(double free_mib, double anon_mib) {
    SystemMemory memory;
    memory.total = 8192 * kMiB;
    memory.free = memory.available = static_cast<std::uint64_t>(free_mib * kMiB);
    memory.anon = static_cast<std::uint64_t>(anon_mib * kMiB);
    memory.cached = 0;
    events.emit(memory);
  }
  // The first kill holds 5000 MiB, the second comes so much later, with nothing of it mapped or free.
  Incident second_kill(double after_s) {
    grow(5000, 0, 100, 2900);
    events.emit(test::global_kill(1, trainer, mib(5000), 2097152));
    events.at(50.1 + after_s);
    machine(20, 3000);
    events.emit(test::global_kill(2, sidecar, mib(3000), 2097152));
    const Report all = report();
    EXPECT_EQ(all.incidents.size(), 2u);
    return all.incidents.empty() ? Incident{} : all.incidents.back();
  }
  Incident by_hand(double free_mib) {
    grow(20, 4, 20, 160);
    machine(free_mib, 8000 - free_mib);
    OomKill kill = test::global_kill(1, trainer, mib(24), 2097152);
    kill.decision.domain = DomainKind::kSysrq;
    kill.decision.decided_by = DecidedBy::kSysrq;
    events.emit(kill);
    return incident();
  }
};

TEST_F(NobodysMemoryTest, what_an_earlier_victim_has_not_given_back_is_no_kernel_memory) {
  EXPECT_FALSE(has(second_kill(0.1), "kernel_memory_growth"));
}

TEST_F(NobodysMemoryTest, long_after_an_earlier_kill_it_is) {
  EXPECT_TRUE(has(second_kill(30), "kernel_memory_growth"));
}

// A victim whose memory somebody holds on to is gone from the list of processes, and a small one dies for it.
struct SmallNextTest : NobodysMemoryTest {
  const ProcessRef small = ref(30, "small", 1);
  double small_mib = 16;
  double sample_s = 50;                  // of the machine's memory, which had 900 MiB free
  double kills_s = 50.1;                 // the first kill
  std::int32_t order = 0;                // of the second
  std::uint32_t dropped = 0;             // candidates of the second
  bool still_listed = false;             // the first victim, with all its memory
  bool reaped = false;                   // the first victim, between the two
  std::optional<double> since_free_mib;  // another sample between the two

  Incident next(double after_s) {
    grow(100, 6900, 100, 4);
    events.memory(small, mib(small_mib), 0, kJob);
    events.at(sample_s);
    machine(900, 7100);
    events.at(kills_s);
    events.emit(test::global_kill(1, trainer, mib(7000), 2097152));
    events.at(kills_s + after_s / 2);
    if (since_free_mib) machine(*since_free_mib, 8000 - *since_free_mib);
    if (reaped) events.emit(OomReaped{trainer, {}});
    events.at(kills_s + after_s);
    OomKill kill = test::global_kill(2, small, mib(small_mib), 2097152);
    kill.decision.order = order;
    events.emit(kill);
    events.candidate(2, small, mib(small_mib), 900, kJob);
    events.candidate(2, sidecar, mib(104), 0, kJob);
    if (still_listed) events.candidate(2, trainer, mib(7000), 0, kJob, Excluded::kAlreadyDying);
    events.end(2, still_listed ? 3 : 2, dropped);
    const Report all = report();
    EXPECT_EQ(all.incidents.size(), 2U);
    return all.incidents.empty() ? Incident{} : all.incidents.back();
  }
  bool told(double after_s) { return has(next(after_s), "earlier_victim_dying"); }
};

TEST_F(SmallNextTest, dies_for_what_the_victim_before_still_holds) {
  const Incident found = next(0.025);
  const auto factor = std::find_if(found.contributing.begin(), found.contributing.end(),
                                   [](const Cause& cause) { return cause.kind == "earlier_victim_dying"; });
  ASSERT_NE(factor, found.contributing.end());
  EXPECT_EQ(factor->summary,
            "The memory of python3 (pid 10), killed 25 ms before with 6.8 GiB, seems not to have come back: of 8.0 GiB "
            "that the machine has, the processes that lived held 120.0 MiB.");
  ASSERT_FALSE(found.remedies.empty());
  EXPECT_EQ(found.remedies.front().title,
            "Look at the kill before this one first: without it this one may not have come");
  EXPECT_EQ(found.remedies.front().command, "oomtrace report --incident 1 FILE");
}

TEST_F(SmallNextTest, a_victim_that_is_still_listed_is_not_one_of_the_living) {
  still_listed = true;
  EXPECT_TRUE(told(0.025));
}

TEST_F(SmallNextTest, where_the_machine_was_told_in_between_a_second_may_pass) {
  since_free_mib = 100;
  EXPECT_TRUE(told(1));
}

TEST_F(SmallNextTest, memory_that_is_free_has_come_back) {
  since_free_mib = 7500;
  order = 3;
  EXPECT_FALSE(told(1));
}

TEST_F(SmallNextTest, memory_that_was_reaped_has_come_back) {
  reaped = true;
  EXPECT_FALSE(told(0.025));
}

TEST_F(SmallNextTest, dies_for_what_others_took_since) {
  small_mib = 5000;
  EXPECT_FALSE(told(0.025));
}

TEST_F(SmallNextTest, of_a_request_for_many_pages_in_a_row_nothing_is_said) {
  order = 3;
  EXPECT_FALSE(told(0.025));
}

TEST_F(SmallNextTest, half_a_second_is_long_enough_for_others_to_fill_it) { EXPECT_FALSE(told(0.5)); }

TEST_F(SmallNextTest, what_the_machine_held_long_before_says_nothing) {
  kills_s = 54;
  EXPECT_FALSE(told(0.025));
}

TEST_F(SmallNextTest, is_not_explained_where_not_all_were_told) {
  dropped = 1;
  EXPECT_FALSE(told(0.025));
}

TEST_F(NobodysMemoryTest, a_kill_by_hand_on_a_machine_with_room_has_no_driver_and_no_culprit) {
  const Incident found = by_hand(5000);
  EXPECT_EQ(found.cause.kind, "unknown");
  EXPECT_NE(found.cause.summary.find("SysRq f"), std::string::npos) << found.cause.summary;
  EXPECT_TRUE(found.contributing.empty());
  ASSERT_TRUE(found.growth);
  EXPECT_FALSE(found.growth->driver);
  ASSERT_FALSE(found.remedies.empty());
  EXPECT_EQ(found.remedies.front().title, "Find out who asked for the kill");
}

TEST_F(NobodysMemoryTest, a_kill_by_hand_on_a_full_machine_has_them) {
  const Incident found = by_hand(50);
  EXPECT_EQ(found.cause.kind, "neighbor_growth");
  EXPECT_TRUE(found.growth && found.growth->driver);
}

}  // namespace
}  // namespace oomtrace::analysis
