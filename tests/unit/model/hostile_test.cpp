// SPDX-License-Identifier: Apache-2.0
// Any events in any order: no crash, bounded memory, the same World from the same events.
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <random>

#include "model/jobs.h"
#include "model/roles.h"
#include "model/world.h"
#include "support/event_builder.h"

namespace oomtrace::model {
namespace {

// Few pids, few starts and extreme figures, so that identities collide and sums come near the ends of their types.
class Dice {
 public:
  explicit Dice(std::uint32_t seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  bool coin() { return below(2) == 0; }
  std::int64_t figure() {
    constexpr std::array<std::int64_t, 6> kExtreme{
        0, -1, std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min(), 4096, 1};
    return coin() ? kExtreme[below(kExtreme.size())] : static_cast<std::int64_t>(below(1U << 30));
  }
  ProcessRef process() {
    constexpr std::array<std::string_view, 5> kNames{"", "python3", "pt_data_worker", "\xff\x1b[2J", "bash"};
    return {static_cast<std::uint32_t>(below(12)), below(4) * 1000, kNames[below(kNames.size())]};
  }
  MemoryCounters counters() {
    MemoryCounters all{figure(), figure(), figure(), figure(), below(~0ULL), below(~0ULL), {}, 0};
    all.missing = static_cast<std::uint8_t>(coin() ? 0 : below(64));
    return all;
  }
  FaultCounts faults() { return {below(~0ULL), below(~0ULL), below(1000), below(~0ULL)}; }
  CgroupRef cgroup() { return {below(4), coin() ? std::string_view{} : std::string_view{"/a/b"}}; }

 private:
  std::mt19937_64 random_;
};

Payload any_payload(Dice& dice) {
  switch (dice.below(12)) {
    case 0: {
      ProcessFork fork{dice.process(), dice.process(), dice.coin() ? 0 : dice.below(0x20000), {}, dice.cgroup(), {}};
      if (dice.coin()) fork.memory = dice.counters();
      return fork;
    }
    case 1: {
      ProcessExec exec;
      exec.process = dice.process();
      exec.parent_pid = static_cast<std::uint32_t>(dice.below(12));
      exec.executable = "/usr/bin/python3";
      exec.command_line = dice.coin() ? "python3 -m" : "python3 -c from multiprocessing.forkserver import main";
      return exec;
    }
    case 2: {
      ProcessExit exit;
      exit.process = dice.process();
      exit.wait_status = static_cast<std::uint32_t>(dice.below(0x10000));
      exit.faults = dice.faults();
      return exit;
    }
    case 3: {
      OomKill kill;
      kill.decision.incident_id = dice.below(4);
      kill.decision.trigger = dice.process();
      kill.decision.cgroup = dice.cgroup();
      kill.victim = dice.process();
      kill.memory = dice.counters();
      kill.group_member = dice.coin();
      kill.already_dying = dice.coin();
      return kill;
    }
    case 4: {
      OomCandidate candidate;
      candidate.incident_id = dice.below(4);
      candidate.process = dice.process();
      candidate.memory = dice.counters();
      candidate.provenance = static_cast<Provenance>(dice.below(5));
      return candidate;
    }
    case 5:
      return OomEnd{dice.below(4), 1, 2, 3, static_cast<Provenance>(dice.below(5)), dice.coin()};
    case 6:
      return OomReaped{dice.process(), dice.counters()};
    case 7:
      return OomScoreAdj{dice.process(), dice.process(), static_cast<std::int32_t>(dice.below(2000)) - 1000};
    case 8:
      return SignalKill{dice.process(), dice.process(), 9, {}, dice.coin(), dice.coin(), dice.below(4)};
    case 9:
      return TraceLost{dice.coin() ? "queue" : "", dice.below(~0ULL), ""};
    case 10: {
      CgroupMemory memory;
      memory.cgroup = dice.cgroup();
      memory.usage = dice.below(~0ULL);
      return memory;
    }
    default: {
      ProcessMemory memory;
      memory.process = dice.process();
      memory.parent_pid = static_cast<std::uint32_t>(dice.below(12));
      memory.memory = dice.counters();
      memory.faults = dice.faults();
      memory.cgroup = dice.cgroup();
      return memory;
    }
  }
}

World replay(std::uint32_t seed) {
  World::Limits limits;
  limits.process_samples = 16;
  limits.quiet_dead = 20;
  limits.failed_dead = 20;
  World world(limits);
  Dice dice(seed);
  test::EventStream events([&](const Event& event) { world.apply(event); });
  for (int i = 0; i < 3000; ++i) {
    events.at(static_cast<double>(dice.below(5000)) / 1000);
    events.emit(any_payload(dice));
  }
  return world;
}

std::string digest(const World& world) {
  const Roles roles(world);
  const Jobs jobs(world, roles);
  std::string text;
  for (const auto& [id, process] : world.processes()) {
    text += std::to_string(id) + ' ' + std::to_string(process.pid) + ' ' + to_string(roles.of(id).role) + ' ' +
            std::to_string(jobs.root_of(id)) + ' ' + std::to_string(process.memory.points().size()) + '\n';
  }
  for (const Incident& incident : world.incidents()) {
    text += std::to_string(incident.id) + ' ' + std::to_string(incident.kills.size()) + ' ' +
            std::to_string(incident.candidates.size()) + '\n';
  }
  return text;
}

TEST(HostileEvents, are_survived_with_every_invariant) {
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    const World world = replay(seed);
    for (const auto& [id, process] : world.processes()) {
      EXPECT_EQ(process.id, id);
      EXPECT_NE(process.parent, id);
      EXPECT_LE(process.memory.points().size(), 16u);
      EXPECT_LE(process.signals.size(), 8u);
      EXPECT_LE(process.adj_changes.size(), 8u);
      if (process.killed_in) {
        EXPECT_LT(*process.killed_in, world.incidents().size());
      }
      for (std::size_t i = 1; i < process.memory.points().size(); ++i) {
        EXPECT_LE(process.memory.points()[i - 1].until_ns, process.memory.points()[i].from_ns);
      }
    }
    for (const Incident& incident : world.incidents()) {
      for (std::size_t i = 0; i < incident.kills.size(); ++i) {
        for (std::size_t j = i + 1; j < incident.kills.size(); ++j) {
          EXPECT_NE(incident.kills[i].victim.id, incident.kills[j].victim.id) << "seed " << seed;
        }
      }
      for (const CandidateRow& row : incident.candidates) EXPECT_NE(world.find(row.process.id), nullptr);
    }
  }
}

TEST(HostileEvents, give_the_same_world_again) { EXPECT_EQ(digest(replay(7)), digest(replay(7))); }

}  // namespace
}  // namespace oomtrace::model
