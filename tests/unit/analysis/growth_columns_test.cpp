// SPDX-License-Identifier: Apache-2.0
// What a row tells beside its growth: page tables, high-water mark, what is shared; and the rows that there is no room
// for.
#include "analysis_support.h"

namespace oomtrace::analysis {
namespace {

struct GrowthColumnsTest : JobKillTest {
  // A parent of 400 MiB forks two children that each take 10 MiB and copy 100 MiB.
  void fork_two() {
    events.at(1).start();
    events.memory(parent, mib(400), 0, kJob);
    events.at(20);
    for (const ProcessRef& one : child) events.fork(parent, one, mib(400));
    for (const ProcessRef& one : child) events.at(30).memory(one, mib(410), 25600, kJob);
  }
  const ProcessRef parent = ref(10, "python3", 1);
  const ProcessRef child[2] = {ref(11, "a", 20), ref(12, "b", 20)};
};

MemoryCounters with_tables(double anon, double pgtables, double hiwater) {
  MemoryCounters counters = mib(anon);
  counters.pgtables = static_cast<std::uint64_t>(pgtables * kMiB);
  counters.hiwater_rss = static_cast<std::uint64_t>(hiwater * kMiB);
  return counters;
}

TEST_F(GrowthColumnsTest, page_tables_grow_beside_memory_and_the_high_water_mark_is_a_level) {
  const ProcessRef process = ref(10, "x", 1);
  events.at(1).start();
  events.memory(process, with_tables(100, 2, 150), 0, kJob);
  for (int i = 1; i <= 10; ++i) events.at(2 + i * 0.1).memory(process, with_tables(100 + i * 20, 2.5, 320), 0, kJob);
  events.at(3.1);
  kill(process, with_tables(300, 2.5, 320));
  const ProcessGrowth row = growth_of(incident(), 10);
  EXPECT_EQ(row.pgtables_bytes, kMiB / 2);
  EXPECT_EQ(row.grown_bytes, 200 * kMiB);
  EXPECT_EQ(row.hiwater_rss_bytes, 320 * kMiB);
}

TEST_F(GrowthColumnsTest, all_page_tables_of_a_child_are_new) {
  events.at(1).start();
  events.memory(parent, with_tables(400, 1, 400), 0, kJob);
  events.at(2).fork(parent, child[0], with_tables(400, 1, 400));
  for (int i = 1; i <= 10; ++i) events.at(2 + i * 0.1).memory(child[0], with_tables(400 + i * 10, 1.5, 500), 0, kJob);
  events.at(3.1);
  kill(child[0], with_tables(500, 1.5, 500));
  EXPECT_EQ(growth_of(incident(), 11).pgtables_bytes, kMiB * 3 / 2);
}

TEST_F(GrowthColumnsTest, page_tables_that_nobody_told_are_not_known) {
  const ProcessRef process = ref(10, "x", 1);
  events.at(1).start();
  for (int i = 0; i <= 10; ++i) {
    MemoryCounters counters = mib(100 + i * 20);
    counters.missing = kMemoryPgtables;
    events.at(2 + i * 0.1).memory(process, counters, 0, kJob);
  }
  MemoryCounters last = mib(300);
  last.missing = kMemoryPgtables;
  events.at(3.1);
  kill(process, last);
  const ProcessGrowth row = growth_of(incident(), 10);
  EXPECT_EQ(row.pgtables_bytes, std::nullopt);
  EXPECT_EQ(row.hiwater_rss_bytes, 300 * kMiB) << "what it held, where no mark is told";
}

TEST_F(GrowthColumnsTest, a_child_shares_with_its_parent_what_it_did_not_copy) {
  fork_two();
  events.at(31);
  kill(child[0], mib(410));
  EXPECT_EQ(growth_of(incident(), 11).shared_bytes, 300 * kMiB);
}

TEST_F(GrowthColumnsTest, siblings_share_on_when_their_parent_is_dead) {
  fork_two();
  events.at(30.5).exit(parent);
  events.at(31);
  kill(child[0], mib(410));
  events.candidate(1, child[0], mib(410), 0, kJob);
  const Incident found = incident();
  EXPECT_EQ(growth_of(found, 11).shared_bytes, 200 * kMiB);  // each copied 100 MiB, maybe not the same
  EXPECT_EQ(growth_of(found, 12).shared_bytes, 200 * kMiB);
  EXPECT_NE(found.selection.summary.find("(200.0 MiB) are shared with others of the family"), std::string::npos)
      << found.selection.summary;
}

TEST_F(GrowthColumnsTest, the_last_of_a_family_shares_nothing) {
  fork_two();
  events.at(30.4).exit(parent);
  events.at(30.5).exit(child[1]);
  events.at(31);
  kill(child[0], mib(410));
  EXPECT_EQ(growth_of(incident(), 11).shared_bytes, 0);
}

TEST_F(GrowthColumnsTest, who_was_forked_twice_shares_with_its_grandparent) {
  const ProcessRef between = ref(11, "between", 20), last = ref(12, "last", 21);
  start_and_fork(parent, between, 400);
  events.at(20.5).memory(between, mib(400), 2560, kJob);
  events.at(21).fork(between, last, mib(400));
  events.at(21.1).exit(between);
  events.at(30).memory(last, mib(450), 2560, kJob);
  events.at(31);
  kill(last, mib(450));
  EXPECT_EQ(growth_of(incident(), 12).shared_bytes, 380 * kMiB);
}

TEST_F(GrowthColumnsTest, a_parent_that_runs_another_program_shares_nothing) {
  fork_two();
  events.at(30.4).exit(child[1]);
  events.at(30.5).exec(parent, "/bin/other", "other");
  events.at(31);
  kill(child[0], mib(410));
  EXPECT_EQ(growth_of(incident(), 11).shared_bytes, 0);
}

TEST_F(GrowthColumnsTest, shares_of_rows_and_of_those_left_out_sum_to_one) {
  constexpr std::uint32_t kProcesses = 1200;
  events.at(1).start();
  for (std::uint32_t i = 0; i < kProcesses; ++i) events.memory(ref(100 + i, "worker", 1), mib(1), 0, kJob);
  for (std::uint32_t i = 0; i < kProcesses; ++i)
    events.at(2 + i * 0.001).memory(ref(100 + i, "worker", 1), mib(2 + i * 0.001), 0, kJob);
  events.at(4);
  kill(ref(100, "worker", 1), mib(2));
  const Growth growth = incident().growth.value_or(Growth{});
  EXPECT_EQ(growth.processes.size(), 1000u);
  EXPECT_EQ(growth.left_out.count, 200u);
  EXPECT_GT(growth.left_out.grown_bytes, 200 * kMiB);
  double shares = growth.left_out.share;
  std::int64_t bytes = growth.left_out.grown_bytes;
  for (const ProcessGrowth& process : growth.processes) {
    shares += process.share;
    bytes += process.grown_bytes;
  }
  EXPECT_NEAR(shares, 1.0, 1e-9);
  EXPECT_EQ(bytes, growth.grown_bytes);
}

}  // namespace
}  // namespace oomtrace::analysis
