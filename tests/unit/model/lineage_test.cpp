// SPDX-License-Identifier: Apache-2.0
// Lineage: threads, forks, execs, vfork, re-parenting, late parents, reused pids.
#include "model/lineage.h"

#include <gtest/gtest.h>

#include "model/world.h"
#include "support/event_builder.h"

namespace oomtrace::model {
namespace {

using test::mib;
using test::ref;

constexpr std::uint64_t kCloneVm = 0x100, kCloneVfork = 0x4000, kCloneThread = 0x10000;

struct LineageTest : ::testing::Test {
  World world;
  test::EventStream events{[this](const Event& event) { world.apply(event); }};
  const Process& process(std::uint32_t pid) { return *world.by_pid(0, pid); }
};

TEST_F(LineageTest, threads_are_not_processes) {
  events.at(1).memory(ref(10, "a", 1), mib(1));
  events.at(2).fork(ref(10, "a", 1), ref(11, "a", 2), {}, kCloneThread | kCloneVm);
  EXPECT_EQ(world.by_pid(0, 11), nullptr);
}

TEST_F(LineageTest, a_fork_without_exec_keeps_the_command_line_and_what_it_inherited) {
  events.at(1).exec(ref(10, "python3", 1), "/usr/bin/python3", "python3 train.py");
  events.at(2).memory(ref(10, "python3", 1), mib(300));
  events.at(3).fork(ref(10, "python3", 1), ref(11, "python3", 3), mib(300));
  EXPECT_EQ(process(11).parent, process(10).id);
  EXPECT_EQ(process(11).command_line, "python3 train.py");
  EXPECT_EQ(process(11).inherited->anon, 300 * test::kMiB);
  EXPECT_TRUE(forked_without_exec(world, process(11)));
  ASSERT_EQ(process(10).children.size(), 1u);
  EXPECT_EQ(process(10).children[0], process(11).id);
}

TEST_F(LineageTest, an_exec_ends_the_sharing) {
  events.at(1).memory(ref(10, "sh", 1), mib(1));
  events.at(2).fork(ref(10, "sh", 1), ref(11, "sh", 2));
  events.at(3).exec(ref(11, "python3", 2), "/usr/bin/python3", "python3 x.py", 10);
  EXPECT_FALSE(forked_without_exec(world, process(11)));
  EXPECT_EQ(process(11).execs, 1u);
  EXPECT_EQ(process(11).parent, process(10).id);
}

TEST_F(LineageTest, a_vfork_child_shares_its_makers_memory_until_it_execs) {
  events.at(1).memory(ref(10, "sh", 1), mib(50));
  events.at(2).fork(ref(10, "sh", 1), ref(11, "sh", 2), mib(50), kCloneVm | kCloneVfork);
  EXPECT_TRUE(shares_memory(process(11)));
  EXPECT_FALSE(forked_without_exec(world, process(11)));
  EXPECT_FALSE(process(11).inherited.has_value());
  events.at(3).exec(ref(11, "tool", 2), "/bin/tool", "tool");
  EXPECT_FALSE(shares_memory(process(11)));
}

TEST_F(LineageTest, a_reused_pid_has_the_parent_of_its_own_life) {
  events.at(1).memory(ref(10, "first", 1), mib(1));
  events.at(2).fork(ref(10, "first", 1), ref(20, "child", 2));
  events.at(3).exit(ref(20, "child", 2));
  events.at(4).memory(ref(11, "second", 3), mib(1));
  events.at(5).fork(ref(11, "second", 3), ref(20, "other", 5));
  EXPECT_EQ(process(20).parent, process(11).id);
  const Process* earlier = world.find(process(10).children.at(0));
  ASSERT_NE(earlier, nullptr);
  EXPECT_EQ(earlier->start_boot_ns, test::seconds(2));
  EXPECT_EQ(earlier->parent, process(10).id);
  EXPECT_EQ(earlier->wait_status, 0u);
}

TEST_F(LineageTest, a_new_parent_pid_is_a_new_parent_but_the_maker_stays) {
  events.at(1).memory(ref(10, "trainer", 1), mib(1));
  events.at(2).fork(ref(10, "trainer", 1), ref(11, "trainer", 2), mib(1));
  events.at(3).exit(ref(10, "trainer", 1), 9);
  events.at(4).memory(ref(11, "trainer", 2), mib(1), 0, {}, 1);
  EXPECT_EQ(process(11).parent_pid, 1u);
  EXPECT_EQ(process(11).reparented_ns, test::seconds(4));
  EXPECT_EQ(process(11).parent, process(10).id);
}

TEST_F(LineageTest, a_snapshot_that_names_the_child_first_finds_the_parent_later) {
  events.at(1).memory(ref(11, "b", 2), mib(1), 0, {}, 10);
  EXPECT_EQ(process(11).parent, kNoProcess);
  events.at(1).memory(ref(10, "a", 1), mib(1), 0, {}, 1);
  EXPECT_EQ(process(11).parent, process(10).id);
  EXPECT_EQ(process(10).children.size(), 1u);
}

TEST_F(LineageTest, a_fork_that_was_not_seen_shows_by_the_same_program_and_command_line) {
  events.at(1);
  for (const auto& [pid, parent] : {std::pair{10u, 1u}, std::pair{11u, 10u}, std::pair{12u, 10u}}) {
    ProcessInfo info;
    info.process = ref(pid, "python3", pid);
    info.parent_pid = parent;
    info.executable = "/usr/bin/python3.13";
    info.command_line = pid == 12 ? "python3 other.py" : "python3 train.py";
    events.emit(info);
  }
  EXPECT_TRUE(forked_without_exec(world, process(11)));
  EXPECT_FALSE(forked_without_exec(world, process(12)));
  EXPECT_FALSE(forked_without_exec(world, process(10)));
}

TEST_F(LineageTest, a_fork_told_after_the_childs_first_word_still_counts) {
  events.at(1).memory(ref(10, "a", 1), mib(100));
  events.at(2).memory(ref(11, "a", 2), mib(100));
  events.at(2).fork(ref(10, "a", 1), ref(11, "a", 2), mib(100));
  EXPECT_EQ(world.processes().size(), 2u);
  EXPECT_EQ(process(11).origin, Origin::kFork);
  EXPECT_EQ(process(11).inherited->anon, 100 * test::kMiB);
}

}  // namespace
}  // namespace oomtrace::model
