// SPDX-License-Identifier: Apache-2.0
// Growth by role, as it is told while a recording runs.
#include "cli/role_tracker.h"

#include <gtest/gtest.h>

#include "model/roles.h"
#include "support/event_builder.h"

namespace oomtrace::test {
namespace {

using cli::RoleTracker;
using model::Role;

struct Rig {
  RoleTracker tracker;
  EventStream events{[this](const Event& event) { tracker.apply(event); }};

  RoleFigures of(Role role) { return tracker.figures()[static_cast<std::size_t>(role)]; }
};

constexpr std::uint64_t bytes(std::int64_t mib_count) { return static_cast<std::uint64_t>(mib_count * kMiB); }

TEST(RoleTracker, names_are_in_the_order_of_the_enumeration) {
  for (std::size_t i = 0; i < kRoles.size(); ++i) EXPECT_EQ(kRoles[i], model::to_string(static_cast<Role>(i)));
}

TEST(RoleTracker, what_was_there_and_what_is_inherited_is_nobodys_growth) {
  Rig rig;
  const ProcessRef trainer = ref(10, "pt_main_thread", 1), worker = ref(11, "pt_data_worker", 2);
  rig.events.at(1).memory(trainer, mib(1000));
  EXPECT_EQ(rig.of(Role::kTrainer).grown_bytes, 0U);
  rig.events.at(2).fork(trainer, worker, mib(1000));
  rig.events.at(3).memory(worker, mib(1000), 0, {}, 10);
  EXPECT_EQ(rig.of(Role::kDataloaderWorker).grown_bytes, 0U);
  rig.events.at(4).memory(worker, mib(1100), 0, {}, 10);
  const RoleFigures workers = rig.of(Role::kDataloaderWorker);
  EXPECT_EQ(workers.grown_bytes, bytes(100));
  EXPECT_EQ(workers.processes, 1U);
  EXPECT_EQ(workers.resident_bytes, bytes(1100));
  EXPECT_EQ(rig.of(Role::kTrainer).grown_bytes, 0U);
}

TEST(RoleTracker, counter_never_falls_and_keeps_what_the_dead_added) {
  Rig rig;
  const ProcessRef process = ref(10, "python3", 1);
  rig.events.at(1).memory(process, mib(10));
  rig.events.at(2).memory(process, mib(60));
  rig.events.at(3).memory(process, mib(20));  // gave back
  rig.events.at(4).memory(process, mib(30, 0, 0, 5));
  EXPECT_EQ(rig.of(Role::kOther).grown_bytes, bytes(65));
  ProcessExit exit;
  exit.process = process;
  exit.memory = mib(45);
  rig.events.at(5).emit(exit);
  const RoleFigures other = rig.of(Role::kOther);
  EXPECT_EQ(other.grown_bytes, bytes(75));
  EXPECT_EQ(other.processes, 0U);
  EXPECT_EQ(other.resident_bytes, 0U);
  EXPECT_EQ(rig.of(Role::kOther).grown_bytes, bytes(75));
}

TEST(RoleTracker, exec_begins_a_new_address_space) {
  Rig rig;
  const ProcessRef shell = ref(10, "bash", 1), child = ref(11, "bash", 2);
  rig.events.at(1).memory(shell, mib(5));
  rig.events.at(2).fork(shell, child, mib(5));
  rig.events.at(3).exec(child, "/usr/bin/python3", "python3 x.py", 10);
  rig.events.at(4).memory(ref(11, "python3", 2), mib(50), 0, {}, 10);
  EXPECT_EQ(rig.of(Role::kOther).grown_bytes, bytes(50));
}

TEST(RoleTracker, role_that_shows_late_gets_what_was_not_settled_yet) {
  Rig rig;
  const ProcessRef parent = ref(10, "python3", 1);
  rig.events.at(1).memory(parent, mib(10));
  rig.events.at(2).fork(parent, ref(11, "python3", 2), mib(10));
  rig.events.at(3).memory(ref(11, "python3", 2), mib(50), 0, {}, 10);
  rig.events.at(4).memory(ref(11, "pt_data_worker", 2), mib(60), 0, {}, 10);
  EXPECT_EQ(rig.of(Role::kDataloaderWorker).grown_bytes, bytes(50));
}

TEST(RoleTracker, many_short_lives_leave_nothing_behind) {
  Rig rig;
  const ProcessRef shell = ref(1, "bash", 1);
  rig.events.at(1).memory(shell, mib(5));
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    const ProcessRef child = ref(100 + i % 5000, "true", 2 + i);
    rig.events.at(2 + i).fork(shell, child, mib(5));
    rig.events.memory(child, mib(6), 0, {}, 1);
    rig.events.exit(child);
    if (i % 1000 == 0) rig.tracker.figures();
  }
  EXPECT_EQ(rig.of(Role::kOther).processes, 1U);
  EXPECT_EQ(rig.of(Role::kWorker).processes, 0U);
}

}  // namespace
}  // namespace oomtrace::test
