// SPDX-License-Identifier: Apache-2.0
// World::Limits: what is kept of a flood, and what is counted as left out.
#include <gtest/gtest.h>

#include <string>

#include "model/world.h"
#include "support/event_builder.h"

namespace oomtrace::model {
namespace {

using test::mib;
using test::ref;

class BoundsTest : public ::testing::Test {
 protected:
  void narrow(const World::Limits& limits) { world = World(limits); }
  void kill(std::uint64_t incident, const ProcessRef& victim) {
    OomKill kill;
    kill.decision.incident_id = incident;
    kill.victim = victim;
    events.emit(kill);
  }
  std::size_t points() const {
    std::size_t sum = 0;
    for (const auto& [id, process] : world.processes()) sum += process.memory.points().size();
    return sum;
  }

  World world;
  test::EventStream events{[this](const Event& event) { world.apply(event); }};
};

TEST_F(BoundsTest, more_living_processes_are_not_taken_and_counted) {
  narrow({.living = 10});
  const auto shell = ref(1, "sh", 1);
  events.at(1).memory(shell, mib(1));
  for (std::uint32_t pid = 2; pid <= 100; ++pid) events.fork(shell, ref(pid, "sleep", pid), mib(1));
  EXPECT_EQ(world.processes().size(), 10u);
  EXPECT_NE(world.by_pid(0, 10), nullptr);
  EXPECT_EQ(world.by_pid(0, 11), nullptr);
  EXPECT_EQ(world.beyond().processes, 90u);
  EXPECT_EQ(world.forgotten_processes(), 0u);

  events.exit(ref(5, "sleep", 5), 0);
  events.fork(shell, ref(101, "sleep", 101), mib(1));
  EXPECT_NE(world.by_pid(0, 101), nullptr);  // there is room again
  EXPECT_EQ(world.beyond().processes, 90u);
}

TEST_F(BoundsTest, a_kill_is_told_whose_victim_was_not_taken) {
  narrow({.living = 2});
  for (std::uint32_t pid = 1; pid <= 3; ++pid) events.memory(ref(pid, "eater", pid), mib(1));
  kill(1, ref(4, "victim", 4));
  ASSERT_EQ(world.incidents().size(), 1u);
  ASSERT_EQ(world.incidents()[0].kills.size(), 1u);
  EXPECT_EQ(world.incidents()[0].kills[0].victim.comm, "victim");
  EXPECT_EQ(world.find(world.incidents()[0].kills[0].victim.id), nullptr);
}

TEST_F(BoundsTest, the_earliest_of_the_dead_that_incidents_keep_are_forgotten) {
  narrow({.quiet_dead = 2, .failed_dead = 2, .kept_dead = 3});
  for (std::uint32_t pid = 1; pid <= 20; ++pid) {
    events.at(pid).memory(ref(pid, "eater", pid), mib(1));
    if (pid % 2 == 0) events.exit(ref(pid, "eater", pid), 9);  // dead before it is named
    kill(pid, ref(pid, "eater", pid));
    if (pid % 2 != 0) events.exit(ref(pid, "eater", pid), 9);
  }
  EXPECT_LE(world.processes().size(), 5u);
  EXPECT_EQ(world.processes().size() + world.forgotten_processes(), 20u);
  EXPECT_NE(world.by_pid(0, 20), nullptr);
  EXPECT_EQ(world.incidents().size(), 20u);
  EXPECT_EQ(world.incidents()[0].kills.size(), 1u);
}

TEST_F(BoundsTest, more_kills_are_counted) {
  narrow({.kills = 2, .incidents = 3});
  for (std::uint64_t incident = 1; incident <= 10; ++incident) {
    kill(incident, ref(5, "a", 5));
    events.candidate(incident, ref(6, "b", 6), {});
    events.end(incident, 1);
  }
  EXPECT_EQ(world.incidents().size(), 3u);
  EXPECT_EQ(world.beyond().kills, 7u);
  for (std::uint32_t pid = 10; pid < 20; ++pid) kill(1, ref(pid, "member", pid));
  EXPECT_EQ(world.incidents()[0].kills.size(), 2u);
  EXPECT_EQ(world.beyond().kills, 16u);
}

TEST_F(BoundsTest, all_incidents_together_have_a_bound) {
  narrow({.incident_bytes = std::size_t{64} << 10});
  const std::string path(3000, 'p');
  for (std::uint64_t incident = 1; incident <= 100; ++incident) {
    kill(incident, ref(5, "a", 5));
    for (std::uint32_t pid = 10; pid < 20; ++pid) events.candidate(incident, ref(pid, "b", pid), {}, 0, {0, path});
  }
  EXPECT_LT(world.incidents().size(), 10u);
  EXPECT_EQ(world.incidents().size() + world.beyond().kills, 100u);
  EXPECT_GT(world.incidents().back().candidates_over_limit, 0u);
}

TEST_F(BoundsTest, texts_beyond_are_left_out_and_counted) {
  narrow({.process_bytes = std::size_t{64} << 10});
  const std::string value(4000, 'v');
  for (std::uint32_t pid = 1; pid <= 100; ++pid) {
    ProcessInfo info;
    info.process = ref(pid, "python3", pid);
    info.command_line = "python3 train.py";
    info.environment = {{"A", value}};
    events.emit(info);
  }
  EXPECT_EQ(world.by_pid(0, 1)->environment.size(), 1u);
  EXPECT_TRUE(world.by_pid(0, 100)->environment.empty());
  EXPECT_GT(world.beyond().texts, 80u);

  // What is inherited counts as what was told, and what is gone makes room.
  events.fork(ref(1, "python3", 1), ref(200, "python3", 200), mib(1));
  EXPECT_TRUE(world.by_pid(0, 200)->environment.empty());
  for (std::uint32_t pid = 1; pid <= 50; ++pid) {
    ProcessExec exec;
    exec.process = ref(pid, "true", pid);
    exec.command_line = "true";
    events.emit(exec);
  }
  ProcessInfo again;
  again.process = ref(100, "python3", 100);
  again.environment = {{"A", value}};
  events.emit(again);
  EXPECT_EQ(world.by_pid(0, 100)->environment.size(), 1u);
}

TEST_F(BoundsTest, timelines_together_get_no_longer) {
  narrow({.process_points = 1000});
  for (int turn = 1; turn <= 100; ++turn) {
    for (std::uint32_t pid = 1; pid <= 40; ++pid) events.at(turn).memory(ref(pid, "python3", pid), mib(turn));
  }
  EXPECT_LE(points(), 1000u + 40u);
  const auto& kept = world.by_pid(0, 7)->memory.points();
  EXPECT_EQ(kept.front().sample.counters.anon, test::kMiB);
  EXPECT_EQ(kept.back().sample.counters.anon, 100 * test::kMiB);
  EXPECT_GT(kept.size(), 8u);

  // Those that come when there is no room have their first and their last figures.
  for (int turn = 101; turn <= 110; ++turn) events.at(turn).memory(ref(90, "late", 90), mib(turn));
  const auto& late = world.by_pid(0, 90)->memory.points();
  ASSERT_EQ(late.size(), 2u);
  EXPECT_EQ(late[0].sample.counters.anon, 101 * test::kMiB);
  EXPECT_EQ(late[1].sample.counters.anon, 110 * test::kMiB);
}

TEST_F(BoundsTest, timelines_of_cgroups_together_get_no_longer) {
  narrow({.cgroups = 64, .system_points = 500});
  for (std::uint64_t turn = 1; turn <= 50; ++turn) {
    for (std::uint64_t id = 1; id <= 200; ++id) {
      CgroupMemory memory;
      memory.cgroup = {id, "/job"};
      memory.usage = turn;
      events.at(static_cast<double>(turn)).emit(memory);
    }
  }
  std::size_t sum = 0;
  for (std::uint64_t id = 1; id <= 200; ++id) {
    if (const Cgroup* cgroup = world.cgroup(0, id)) sum += cgroup->memory.points().size();
  }
  EXPECT_LE(sum, 500u + 2 * 64u);
}

}  // namespace
}  // namespace oomtrace::model
