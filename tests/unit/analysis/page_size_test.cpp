// SPDX-License-Identifier: Apache-2.0
// A trace of a machine with pages of 64 KiB (arm64, ppc64le), reported on whatever machine: its own page size counts.
#include "analysis/whatif.h"
#include "analysis_support.h"

namespace oomtrace::analysis {
namespace {

constexpr std::uint32_t kPage = 65536;

MemoryCounters pages(std::int64_t rss, std::uint64_t pgtables, std::int64_t swap = 0) {
  MemoryCounters counters;
  counters.anon = rss * kPage;
  counters.pgtables = pgtables * kPage;
  counters.swap = swap * kPage;
  return counters;
}

struct PageSizeTest : AnalysisTest {
  void start() {
    events.set_machine(test::kWallOffset, kPage);
    events.at(1).start({}, 8192, 1024);
  }
};

TEST_F(PageSizeTest, points_and_table_are_in_pages_of_that_machine) {
  start();
  OomKill kill = test::memcg_kill(1, ref(20, "worker"), pages(4000, 3, 100), kJob, 512 * kMiB);
  kill.decision.total_pages.reset();
  kill.decision.swap_limit = static_cast<std::uint64_t>(64 * kMiB);
  // 512 MiB and 64 MiB of swap are 9216 pages; an adjustment of 100 is 100 * 9 points.
  kill.oom_score_adj = 100;
  kill.decision.chosen_points = 4000 + 3 + 100 + 900;
  events.emit(kill);
  events.candidate(1, ref(20, "worker"), pages(4000, 3, 100), 100, kJob);
  events.candidate(1, ref(21, "other"), pages(3000, 2), 0, kJob);
  events.end(1, 2);
  const Selection selection = incident().selection;
  EXPECT_EQ(selection.total_pages, 9216U);
  EXPECT_EQ(selection.points_reproduced, true);
  const Candidate* worker = candidate(selection, 20);
  ASSERT_NE(worker, nullptr);
  EXPECT_EQ(worker->rss_pages, 4000);
  EXPECT_EQ(worker->swap_pages, 100);
  EXPECT_EQ(worker->pgtables_pages, 3);
  EXPECT_EQ(worker->points, 5003);
  EXPECT_EQ(selection.margin_points, 5003 - 3002);
}

TEST_F(PageSizeTest, a_write_protect_fault_copies_a_page_of_that_machine) {
  start();
  const ProcessRef parent = ref(10, "python3", 1), child = ref(11, "worker", 20);
  events.memory(parent, mib(900), 0, kJob);
  events.at(20).fork(parent, child, mib(900));
  events.at(21).memory(child, mib(900), 0, kJob);
  for (std::uint64_t i = 1; i <= 100; ++i)
    events.at(30 + static_cast<double>(i) * 0.1).memory(child, mib(900), i * 32, kJob);  // 2 MiB each
  events.at(40.1).emit(test::memcg_kill(1, child, mib(900), kJob, 1200 * kMiB));
  const ProcessGrowth growth = growth_of(incident(), 11);
  ASSERT_TRUE(growth.cow_copied_bytes);
  EXPECT_NEAR(static_cast<double>(*growth.cow_copied_bytes), 200.0 * kMiB, 4.0 * kMiB);
}

TEST_F(PageSizeTest, another_limit_is_so_many_pages_of_that_machine) {
  start();
  OomKill kill = test::memcg_kill(1, ref(20, "worker"), pages(4000, 3), kJob, 512 * kMiB);
  kill.decision.total_pages = 512 * kMiB / kPage;
  kill.decision.chosen_points = 4003;
  events.emit(kill);
  events.candidate(1, ref(20, "worker"), pages(4000, 3), 0, kJob);
  events.end(1, 1);
  WhatIf change;
  change.limit_bytes = static_cast<std::uint64_t>(640 * kMiB);
  const Context context(world);
  const WhatIfResult result = what_if(context, *numbered_incidents(world).at(0).incident, change);
  EXPECT_EQ(result.total_pages, static_cast<std::uint64_t>(640 * kMiB) / kPage);
}

// Beside a trace of this machine, which has others.
TEST_F(PageSizeTest, two_machines_in_one_report_have_each_their_own) {
  start();
  const auto killed = [&](std::int64_t page) {
    MemoryCounters counters;
    counters.anon = 4000 * page;
    OomKill kill = test::memcg_kill(1, ref(20, "worker"), counters, kJob, 512 * kMiB);
    kill.decision.total_pages = static_cast<std::uint64_t>(512 * kMiB / page);
    events.emit(kill);
    events.candidate(1, ref(20, "worker"), counters, 0, kJob);
    events.end(1, 1);
  };
  killed(kPage);
  events.set_trace("ffff", "boot-2");
  events.set_machine(test::kWallOffset + 3600LL * 1'000'000'000, 4096);
  events.at(1).start();
  killed(4096);
  const Report all = report();
  ASSERT_EQ(all.incidents.size(), 2U);
  for (const Incident& incident : all.incidents) EXPECT_EQ(incident.selection.candidates.at(0).rss_pages, 4000);
}

}  // namespace
}  // namespace oomtrace::analysis
