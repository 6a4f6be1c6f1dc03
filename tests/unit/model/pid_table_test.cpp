// SPDX-License-Identifier: Apache-2.0
#include "model/pid_table.h"

#include <gtest/gtest.h>

namespace {

using oomtrace::model::PidTable;
using oomtrace::model::Process;

class PidTableTest : public ::testing::Test {
 protected:
  static Process made(std::uint32_t pid, std::uint64_t start, std::size_t boot = 0) {
    Process process(1);
    process.pid = pid;
    process.start_boot_ns = start;
    process.boot = boot;
    return process;
  }
  PidTable table;
};

TEST_F(PidTableTest, NobodyHasAPidThatWasNotSeen) {
  EXPECT_EQ(table.holder(0, 7), nullptr);
  EXPECT_EQ(table.started_at(0, 7, 100), nullptr);
  EXPECT_EQ(table.started_before(0, 7, 100), nullptr);
}

TEST_F(PidTableTest, PidThatCameRoundBelongsToWhoStartedLast) {
  Process first = made(7, 100);
  Process second = made(7, 200);
  table.add_start(second);
  table.add_start(first);
  table.set_holder(second);
  EXPECT_EQ(table.holder(0, 7), &second);
  EXPECT_EQ(table.started_at(0, 7, 100), &first);
  EXPECT_EQ(table.started_at(0, 7, 150), nullptr);
  EXPECT_EQ(table.started_before(0, 7, 99), nullptr);
  EXPECT_EQ(table.started_before(0, 7, 199), &first);
  EXPECT_EQ(table.started_before(0, 7, 200), &second);
}

TEST_F(PidTableTest, BootsAreApart) {
  Process here = made(7, 100, 0);
  Process there = made(7, 100, 1);
  table.add_start(here);
  table.add_start(there);
  table.set_holder(there);
  EXPECT_EQ(table.holder(0, 7), nullptr);
  EXPECT_EQ(table.started_at(0, 7, 100), &here);
  EXPECT_EQ(table.started_at(1, 7, 100), &there);
}

TEST_F(PidTableTest, PidLookedForInVainIsFoundOnceSomebodyHasIt) {
  Process first = made(7, 100);
  EXPECT_EQ(table.holder(0, 7), nullptr);
  table.add_start(first);
  table.set_holder(first);
  EXPECT_EQ(table.holder(0, 7), &first);
  table.remove(first);
  EXPECT_EQ(table.holder(0, 7), nullptr);
  Process second = made(7, 200);
  table.set_holder(second);
  EXPECT_EQ(table.holder(0, 7), &second);
  EXPECT_EQ(table.started_at(0, 7, 100), nullptr);
}

TEST_F(PidTableTest, WithoutAStartThereIsOnlyTheHolder) {
  Process process = made(7, 0);
  table.add_start(process);
  table.set_holder(process);
  EXPECT_EQ(table.holder(0, 7), &process);
  EXPECT_EQ(table.started_before(0, 7, ~0ULL), nullptr);
}

TEST_F(PidTableTest, WhoIsRemovedLeavesTheOthers) {
  Process first = made(7, 100);
  Process second = made(7, 200);
  table.add_start(first);
  table.add_start(second);
  table.set_holder(second);
  table.remove(second);
  EXPECT_EQ(table.holder(0, 7), nullptr);
  EXPECT_EQ(table.started_before(0, 7, 300), &first);
  table.remove(first);
  EXPECT_EQ(table.started_before(0, 7, 300), nullptr);
  table.remove(first);  // and once more does no harm
}

}  // namespace
