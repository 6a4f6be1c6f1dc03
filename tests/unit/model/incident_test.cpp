// SPDX-License-Identifier: Apache-2.0
// Incidents: one decision, many kills, candidates once each, and what must not become a kill.
#include <gtest/gtest.h>

#include "model/world.h"
#include "support/event_builder.h"

namespace oomtrace::model {
namespace {

using test::mib;
using test::ref;

struct IncidentTest : ::testing::Test {
  World world;
  test::EventStream events{[this](const Event& event) { world.apply(event); }};
  const CgroupRef job{77, "/job"};
};

TEST_F(IncidentTest, a_group_kill_is_one_incident_with_each_victim_once) {
  auto kill = test::memcg_kill(1, ref(10, "a", 1), mib(200), job, 320 * test::kMiB);
  kill.decision.oom_group = "/job";
  events.at(5).emit(kill);
  for (const std::uint32_t pid : {10u, 11u, 12u}) {
    auto member = test::memcg_kill(1, ref(pid, "a", pid == 10 ? 1 : 2), mib(10), job, 320 * test::kMiB);
    member.group_member = true;
    events.emit(member);
  }
  ASSERT_EQ(world.incidents().size(), 1u);
  const Incident& incident = world.incidents()[0];
  ASSERT_EQ(incident.kills.size(), 3u);
  EXPECT_FALSE(incident.kills[0].group_member);
  EXPECT_EQ(incident.kills[0].memory->anon, 200 * test::kMiB);
  EXPECT_TRUE(incident.kills[1].group_member);
  EXPECT_EQ(incident.decision.oom_group, "/job");
}

// The kernel's log names pids alone, and its lines may be read when a new process has the victim's.
TEST_F(IncidentTest, a_kill_told_again_after_its_pid_was_taken_is_the_same_kill) {
  events.at(1).start();
  events.fork(ref(1, "init", 0.5), ref(10, "a", 1), mib(200));
  events.at(5).emit(test::memcg_kill(1, ref(10, "a", 1), mib(200), job, test::kMiB));
  events.at(5.1).exit(ref(10, "a", 1), 9, true);
  events.at(6).fork(ref(1, "init", 0.5), ref(10, "b", 6), mib(1));
  events.at(5).emit(test::memcg_kill(1, ref(10, "a", 0), mib(200), job, test::kMiB));
  ASSERT_EQ(world.incidents().size(), 1u);
  ASSERT_EQ(world.incidents()[0].kills.size(), 1u);
  EXPECT_EQ(world.incidents()[0].kills[0].victim.comm, "a");
}

// What the kernel's log makes of a kill that was seen by its mark alone.
OomKill logged(std::uint64_t incident, DomainKind domain, std::string_view constraint) {
  OomKill kill = test::global_kill(incident, ref(10, "a", 1), mib(200), 98256);
  kill.decision.domain = domain;
  kill.decision.constraint = constraint;
  kill.decision.way = "kernel_log";
  return kill;
}

TEST_F(IncidentTest, the_kernels_constraint_corrects_a_domain_that_was_inferred) {
  OomKill mark = test::global_kill(1, ref(10, "a", 1), mib(200), 160336);
  mark.decision.constraint = {};
  events.at(5).emit(mark);
  OomKill log = logged(1, DomainKind::kMempolicy, "CONSTRAINT_MEMORY_POLICY");
  log.decision.nodes = "1";
  events.emit(log);
  const Decision& decision = world.incidents().at(0).decision;
  EXPECT_EQ(decision.domain, DomainKind::kMempolicy);
  EXPECT_EQ(decision.nodes, "1");
  EXPECT_EQ(decision.total_pages, 98256u);
}

TEST_F(IncidentTest, the_kernels_limit_takes_the_place_of_an_inferred_one) {
  OomKill mark = test::memcg_kill(1, ref(10, "a", 1), mib(200), {77, "/job/inner"}, 320 * test::kMiB);
  mark.decision.constraint = {};
  events.at(5).emit(mark);
  OomKill log = logged(1, DomainKind::kMemcg, "CONSTRAINT_MEMCG");
  log.decision.cgroup = {0, "/job"};
  log.decision.limit = 640 * test::kMiB;
  log.decision.total_pages = std::nullopt;
  events.emit(log);
  const Decision& decision = world.incidents().at(0).decision;
  EXPECT_EQ(decision.cgroup.path, "/job");
  EXPECT_EQ(decision.limit, 640u * test::kMiB);
  EXPECT_EQ(decision.usage, std::nullopt);
}

TEST_F(IncidentTest, what_the_kernels_constraint_confirms_stays) {
  OomKill mark = test::global_kill(1, ref(10, "a", 1), mib(200), 160336);
  mark.decision.constraint = {};
  events.at(5).emit(mark);
  events.emit(logged(1, DomainKind::kGlobal, "CONSTRAINT_NONE"));
  EXPECT_EQ(world.incidents().at(0).decision.total_pages, 160336u);
}

TEST_F(IncidentTest, the_same_number_in_another_trace_is_another_incident) {
  events.at(5).emit(test::memcg_kill(1, ref(10, "a", 1), mib(200), job, test::kMiB));
  events.set_trace("second", "boot-2");
  events.at(5).emit(test::memcg_kill(1, ref(10, "a", 1), mib(200), job, test::kMiB));
  EXPECT_EQ(world.incidents().size(), 2u);
}

TEST_F(IncidentTest, a_candidate_counts_once_by_its_best_source_in_scan_order) {
  events.at(5).candidate(1, ref(10, "a", 1), mib(10));
  events.candidate(1, ref(11, "b", 1), mib(20));
  OomCandidate exact;
  exact.incident_id = 1;
  exact.process = ref(10, "a", 1);
  exact.points = 4711;
  exact.provenance = Provenance::kKernelExact;
  events.emit(exact);
  OomCandidate log = exact;
  log.points = 1;
  log.provenance = Provenance::kKernelLog;
  events.emit(log);
  const auto& rows = world.incidents().at(0).candidates;
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].process.pid, 10u);
  EXPECT_EQ(rows[0].points, 4711);
  EXPECT_EQ(rows[1].process.pid, 11u);
}

TEST_F(IncidentTest, a_decision_without_victim_kills_nobody) {
  OomKill none;
  none.decision.incident_id = 1;
  none.no_victim = "no_killable_process";
  events.at(5).emit(none);
  EXPECT_TRUE(world.incidents().at(0).kills.empty());
  EXPECT_EQ(world.incidents().at(0).no_victim, "no_killable_process");
  EXPECT_TRUE(world.processes().empty());
}

TEST_F(IncidentTest, marked_while_dying_is_not_killed_again) {
  auto kill = test::memcg_kill(1, ref(10, "a", 1), mib(200), job, 320 * test::kMiB);
  kill.already_dying = true;
  events.at(5).emit(kill);
  EXPECT_FALSE(world.by_pid(0, 10)->killed_in.has_value());
}

TEST_F(IncidentTest, reaping_after_the_exit_reaches_the_victim) {
  events.at(5).emit(test::memcg_kill(1, ref(10, "a", 1), mib(200), job, 320 * test::kMiB));
  events.at(6).exit(ref(10, "a", 1), 9, true);
  OomReaped reaped;
  reaped.process = {10, 0, "a"};
  events.at(7).emit(reaped);
  EXPECT_TRUE(world.incidents()[0].kills[0].reaped);
  EXPECT_EQ(world.processes().size(), 1u);
}

TEST_F(IncidentTest, those_alive_at_a_kill_are_remembered) {
  World::Limits limits;
  limits.quiet_dead = 1;
  World small(limits);
  test::EventStream stream([&](const Event& event) { small.apply(event); });
  for (std::uint32_t pid = 100; pid < 120; ++pid) stream.at(1).memory(ref(pid, "a", 1), mib(1));
  stream.at(5).emit(test::memcg_kill(1, ref(100, "a", 1), mib(200), job, 320 * test::kMiB));
  for (std::uint32_t pid = 101; pid < 120; ++pid) stream.at(6).exit(ref(pid, "a", 1));
  for (std::uint32_t pid = 200; pid < 220; ++pid) {
    stream.at(7).memory(ref(pid, "b", 7), mib(1));
    stream.exit(ref(pid, "b", 7));
  }
  EXPECT_NE(small.by_pid(0, 119), nullptr);
  EXPECT_EQ(small.by_pid(0, 200), nullptr);
}

TEST_F(IncidentTest, what_those_alive_at_a_kill_held_then_is_not_thinned_away) {
  World::Limits limits;
  limits.process_samples = 16;
  World small(limits);
  test::EventStream stream([&](const Event& event) { small.apply(event); });
  for (int i = 0; i < 100; ++i) stream.at(1 + i).memory(ref(100, "a", 1), mib(i));
  stream.at(100.5).emit(test::memcg_kill(1, ref(101, "b", 1), mib(200), job, 320 * test::kMiB));
  for (int i = 0; i < 100; ++i) stream.at(101 + i).memory(ref(100, "a", 1), mib(200 + i));
  const auto* then = small.by_pid(0, 100)->memory.at(test::seconds(100.5));
  ASSERT_NE(then, nullptr);
  EXPECT_EQ(then->sample.counters.anon, 99 * test::kMiB);
}

TEST_F(IncidentTest, a_cgroup_named_by_id_gets_the_path_told_elsewhere) {
  CgroupMemory memory;
  memory.cgroup = job;
  events.at(1).emit(memory);
  events.at(5).emit(test::memcg_kill(1, ref(10, "a", 1), mib(200), CgroupRef{77, ""}, 320 * test::kMiB));
  EXPECT_EQ(world.incidents()[0].decision.cgroup.path, "/job");
  EXPECT_EQ(world.by_pid(0, 10)->cgroup.path, "/job");
}

}  // namespace
}  // namespace oomtrace::model
