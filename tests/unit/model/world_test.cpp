// SPDX-License-Identifier: Apache-2.0
// World: identity, memory, losses, and that it stays bounded.
#include "model/world.h"

#include <gtest/gtest.h>

#include "support/event_builder.h"

namespace oomtrace::model {
namespace {

using test::mib;
using test::ref;

struct WorldTest : ::testing::Test {
  World world;
  test::EventStream events{[this](const Event& event) { world.apply(event); }};

  const Process& process(std::uint32_t pid) {
    const Process* found = world.by_pid(0, pid);
    EXPECT_NE(found, nullptr) << pid;
    static const Process kNone(8);
    return found ? *found : kNone;
  }
};

TEST_F(WorldTest, a_new_start_time_is_a_new_process_under_the_same_pid) {
  events.at(1).memory(ref(100, "old", 1), mib(10));
  const ProcessId first = process(100).id;
  events.at(5).memory(ref(100, "new", 4), mib(20));
  EXPECT_NE(process(100).id, first);
  EXPECT_EQ(process(100).comm, "new");
  ASSERT_NE(world.find(first), nullptr);
  EXPECT_FALSE(world.find(first)->alive());
  EXPECT_EQ(*world.find(first)->exit_ns, test::seconds(4));
  EXPECT_EQ(world.find(first)->memory.last()->sample.counters.anon, 10 * test::kMiB);
}

TEST_F(WorldTest, an_event_without_start_means_the_living_holder_of_the_pid) {
  events.at(1).memory(ref(100, "a", 1), mib(10));
  events.at(2).memory({100, 0, "a"}, mib(11));
  EXPECT_EQ(world.processes().size(), 1u);
  EXPECT_EQ(process(100).memory.last()->sample.counters.anon, 11 * test::kMiB);
  EXPECT_EQ(process(100).start_boot_ns, test::seconds(1));
}

// It is read beside the events and arrives behind them.
TEST_F(WorldTest, what_proc_said_before_an_exec_does_not_replace_what_the_kernel_said_at_it) {
  events.at(1).fork(ref(10, "runner", 1), ref(11, "runner", 2));
  ProcessExec exec;
  exec.process = ref(11, "python3", 2);
  exec.command_line = "python3 train.py";
  exec.cgroup = {7, "/job"};
  events.at(2).emit(exec);
  ProcessInfo info;
  info.process = ref(11, "python3", 2);
  info.command_line = "runner --all";
  info.cgroup = {0, "/elsewhere"};
  info.environment = {{"RANK", "3"}};
  events.at(3).emit(info);
  EXPECT_EQ(process(11).command_line, "python3 train.py");
  EXPECT_EQ(process(11).cgroup.path, "/job");
  EXPECT_EQ(process(11).environment.size(), 1u);
  events.at(3).memory(ref(20, "older", 1), mib(1));
  info.process = ref(20, "older", 1);
  events.at(4).emit(info);
  EXPECT_EQ(process(20).command_line, "runner --all");
  EXPECT_EQ(process(20).cgroup.path, "/elsewhere");
}

TEST_F(WorldTest, an_unknown_start_is_learnt_later) {
  events.at(1).memory({100, 0, "a"}, mib(10));
  events.at(2).memory(ref(100, "a", 1), mib(11));
  EXPECT_EQ(world.processes().size(), 1u);
  EXPECT_EQ(process(100).start_boot_ns, test::seconds(1));
}

TEST_F(WorldTest, without_a_start_a_dead_holder_is_not_brought_back) {
  events.at(1).memory(ref(100, "a", 1), mib(10));
  events.at(2).exit(ref(100, "a", 1));
  events.at(3).memory({100, 0, "b"}, mib(1));
  EXPECT_EQ(world.processes().size(), 2u);
  EXPECT_EQ(process(100).comm, "b");
}

TEST_F(WorldTest, a_late_word_of_an_earlier_holder_does_not_take_the_pid) {
  events.at(10).memory(ref(100, "new", 9), mib(10));
  const ProcessId holder = process(100).id;
  events.at(11).exit(ref(100, "old", 2), 0x100);
  EXPECT_EQ(process(100).id, holder);
  EXPECT_TRUE(process(100).alive());
  EXPECT_EQ(world.processes().size(), 2u);
}

TEST_F(WorldTest, the_same_pid_on_another_boot_is_another_process) {
  events.at(1).memory(ref(100, "a", 1), mib(10));
  events.set_trace("second", "boot-2");
  events.at(1).memory(ref(100, "b", 1), mib(20));
  EXPECT_EQ(world.processes().size(), 2u);
  EXPECT_EQ(world.by_pid(0, 100)->comm, "a");
  EXPECT_EQ(world.by_pid(1, 100)->comm, "b");
}

TEST_F(WorldTest, the_same_pid_in_another_log_without_a_boot_id_is_another_process) {
  events.set_trace("a.log", "");
  events.at(1).memory({100, 0, "a"}, mib(10));
  events.set_trace("b.log", "");
  events.at(1).memory({100, 0, "b"}, mib(20));
  EXPECT_EQ(world.boots().size(), 2u);
  EXPECT_EQ(world.processes().size(), 2u);
  EXPECT_EQ(world.by_pid(0, 100)->comm, "a");
}

// As `journalctl -k` gives it: facts of one boot, its page size among them, are not those of the other.
TEST_F(WorldTest, a_log_of_two_boots_is_a_trace_of_each) {
  events.set_trace("journal", "boot-1");
  events.at(100).start();
  events.set_trace("journal", "boot-2");
  events.set_machine(test::kWallOffset, 65536);
  events.at(10).start();
  events.emit(test::global_kill(2, ref(7, "x"), mib(1), 1000));
  ASSERT_EQ(world.traces().size(), 2u);
  EXPECT_EQ(world.traces()[0].host.page_size, 4096u);
  EXPECT_EQ(world.traces()[1].host.page_size, 65536u);
  EXPECT_EQ(world.traces()[world.incidents().at(0).trace].boot, 1u);
}

TEST_F(WorldTest, settings_of_the_clock_are_known_from_where_they_hold) {
  events.at(10).start();
  events.at(20).set_clock(3600);
  events.at(30).set_clock(-7200);
  events.at(40).emit(TraceStop{"signal", {}});
  const ClockHistory& clock = world.boots().at(0).clock;
  constexpr std::int64_t kHour = 3600 * static_cast<std::int64_t>(test::kSecond);
  EXPECT_EQ(clock.settings().size(), 3u);
  EXPECT_EQ(clock.offset_at(test::seconds(19)), test::kWallOffset);
  EXPECT_EQ(clock.offset_at(test::seconds(20)), test::kWallOffset + kHour);
  EXPECT_EQ(clock.offset_at(test::seconds(31)), test::kWallOffset - kHour);
  // The last word is the latest by the monotonic clock, not by the other one.
  EXPECT_EQ(world.traces()[0].last_wall_ns, test::kWallOffset - kHour + 40 * static_cast<std::int64_t>(test::kSecond));
}

// A part of a trace, without its start.
TEST_F(WorldTest, a_setting_tells_what_the_clock_was_before) {
  events.at(20).set_clock(3600);
  EXPECT_EQ(world.boots().at(0).clock.offset_at(test::seconds(19)), test::kWallOffset);
}

TEST_F(WorldTest, text_is_copied_and_bounded) {
  {
    std::string line(100'000, 'x');
    events.at(1).exec(ref(100, "a", 1), "/bin/a", line);
    line.assign(line.size(), '!');
  }
  EXPECT_EQ(process(100).command_line, std::string(4096, 'x'));
  EXPECT_TRUE(process(100).command_line_truncated);
}

TEST_F(WorldTest, losses_add_up_by_source) {
  events.lost("ring.growth", 3, "full");
  events.lost("ring.kill", 1);
  events.lost("ring.growth", 4, "full again");
  const auto& losses = world.traces()[0].losses;
  ASSERT_EQ(losses.size(), 2u);
  EXPECT_EQ(losses.at("ring.growth").count, 7u);
  EXPECT_EQ(losses.at("ring.growth").detail, "full again");
  EXPECT_EQ(losses.at("ring.kill").count, 1u);
}

TEST_F(WorldTest, hostile_loss_counts_do_not_wrap) {
  events.lost("queue", UINT64_MAX);
  events.lost("queue", 5);
  EXPECT_EQ(world.traces()[0].losses.at("queue").count, UINT64_MAX);
}

TEST_F(WorldTest, write_faults_count_as_shared_only_while_a_relative_lives) {
  const auto parent = ref(10, "python3", 1), child = ref(11, "python3", 2);
  events.at(1).memory(parent, mib(100));
  events.at(2).fork(parent, child, mib(100));
  events.at(3).memory(child, mib(100), 1000);
  EXPECT_EQ(process(11).memory.last()->sample.shared_write_faults, 1000u);
  events.at(4).exit(parent);
  events.at(5).memory(child, mib(100), 1700);
  EXPECT_EQ(process(11).memory.last()->sample.shared_write_faults, 1000u);
}

TEST_F(WorldTest, write_faults_of_a_process_that_was_never_forked_are_not_shared_ones) {
  events.at(1).memory(ref(10, "a", 1), mib(1), 5000);
  events.at(2).memory(ref(10, "a", 1), mib(2), 9000);
  EXPECT_EQ(process(10).memory.last()->sample.shared_write_faults, 0u);
}

TEST_F(WorldTest, an_exec_starts_memory_and_copies_anew) {
  const auto parent = ref(10, "python3", 1), child = ref(11, "python3", 2);
  events.at(1).memory(parent, mib(100));
  events.at(2).fork(parent, child, mib(100));
  events.at(3).memory(child, mib(100), 500);
  events.at(4).exec(child, "/usr/bin/tool", "tool");
  const auto& sample = process(11).memory.last()->sample;
  EXPECT_EQ(sample.counters.anon, 0);
  EXPECT_EQ(sample.shared_write_faults, 0u);
  EXPECT_EQ(process(11).command_line, "tool");
  events.at(5).memory(child, mib(3), 600);
  EXPECT_EQ(process(11).memory.last()->sample.shared_write_faults, 0u);
}

TEST_F(WorldTest, what_a_kernel_log_leaves_out_of_the_counters_holds_on) {
  events.at(1).memory(ref(10, "a", 1), mib(100, 20, 5));
  MemoryCounters partial;
  partial.anon = 120 * test::kMiB;
  partial.missing = kMemoryFile | kMemoryShmem | kMemoryPgtables;
  events.at(2).memory(ref(10, "a", 1), partial);
  const MemoryCounters& now = process(10).memory.last()->sample.counters;
  EXPECT_EQ(now.anon, 120 * test::kMiB);
  EXPECT_EQ(now.file, 20 * test::kMiB);
  EXPECT_EQ(now.shmem, 5 * test::kMiB);
  EXPECT_EQ(now.missing, 0);
}

TEST(WorldBounds, a_storm_of_short_processes_is_forgotten_and_counted) {
  World::Limits limits;
  limits.quiet_dead = 100;
  limits.failed_dead = 50;
  World world(limits);
  test::EventStream events([&](const Event& event) { world.apply(event); });
  const auto shell = ref(1000, "sh", 1);
  events.at(1).memory(shell, mib(1));
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    const auto child = ref(2000 + i % 500, "true", 2 + i);
    events.at(2 + i).fork(shell, child, mib(1));
    events.exit(child, i % 2 ? 0x100 : 0);
  }
  EXPECT_LE(world.processes().size(), 151u);
  EXPECT_EQ(world.forgotten_processes() + world.processes().size(), 10'001u);
  EXPECT_LE(world.by_pid(0, 1000)->children.size(), 1000u);
}

TEST(WorldBounds, cgroups_keep_the_ones_last_told) {
  World::Limits limits;
  limits.cgroups = 16;
  World world(limits);
  test::EventStream events([&](const Event& event) { world.apply(event); });
  for (std::uint64_t id = 1; id <= 1000; ++id) {
    CgroupMemory memory;
    memory.cgroup = {id, "/job"};
    memory.usage = id;
    events.at(static_cast<double>(id)).emit(memory);
    memory.cgroup = {1, "/system.slice"};
    events.emit(memory);
  }
  EXPECT_NE(world.cgroup(0, 1), nullptr);
  EXPECT_NE(world.cgroup(0, 1000), nullptr);
  EXPECT_EQ(world.cgroup(0, 2), nullptr);
}

}  // namespace
}  // namespace oomtrace::model
