// SPDX-License-Identifier: Apache-2.0
// Selection: the kernel's points on five kernels, ties, exclusions, and what is said of it.
#include <string>

#include "analysis_support.h"

namespace oomtrace::analysis {
namespace {

using test::table_row;

struct Row {
  std::uint32_t pid;
  const char* comm;
  std::int32_t adj;
  std::int64_t rss_pages;
  std::uint64_t pgtables_bytes;
  std::int64_t points;  // as the kernel had them
};

struct KernelTable {
  const char* kernel;
  std::uint64_t total_pages;
  std::uint32_t chosen, runner_up;
  std::vector<Row> rows;  // in scan order; adj -1000 is not eligible
};

void PrintTo(const KernelTable& table, std::ostream* out) { *out << table.kernel; }

// Task tables and points of one global OOM each, measured on these kernels with 512 MiB.
const std::vector<KernelTable> kMeasured = {
    {"5.10",
     112504,
     91,
     94,
     {{85, "kf", -1000, 6874, 90112, 0},
      {90, "by_a", 0, 5373, 81920, 5393},
      {91, "by_b", 500, 15604, 163840, 71644},
      {92, "by_c", -500, 25833, 245760, -30107},
      {93, "by_d", -1000, 7882, 102400, 0},
      {94, "by_e", 300, 10456, 122880, 44086},
      {95, "mmowner", 100, 2799, 65536, 14015},
      {96, "mthog", 200, 4053, 69632, 26470},
      {100, "sharer", 100, 2799, 65536, 14015},
      {102, "hog_main", 0, 28870, 274432, 28937}}},
    {"6.1",
     110794,
     99,
     102,
     {{93, "kf", -1000, 6874, 98304, 0},
      {98, "by_a", 0, 5374, 81920, 5394},
      {99, "by_b", 500, 15604, 167936, 70645},
      {100, "by_c", -500, 25834, 249856, -29105},
      {101, "by_d", -1000, 7882, 106496, 0},
      {102, "by_e", 300, 10456, 122880, 43486},
      {103, "mmowner", 100, 2800, 61440, 13815},
      {104, "mthog", 200, 4054, 77824, 26073},
      {106, "sharer", 100, 2800, 61440, 13815},
      {110, "hog_main", 0, 25834, 249856, 25895}}},
    {"6.12",
     109428,
     154,
     157,
     {{149, "kf", -1000, 6866, 90112, 0},
      {153, "by_a", 0, 5333, 86016, 5354},
      {154, "by_b", 500, 15541, 167936, 70082},
      {155, "by_c", -500, 25813, 249856, -28626},
      {156, "by_d", -1000, 7861, 102400, 0},
      {157, "by_e", 300, 10453, 126976, 43184},
      {158, "mmowner", 100, 2773, 65536, 13689},
      {159, "mthog", 200, 4021, 73728, 25839},
      {161, "sharer", 100, 2773, 65536, 13689},
      {165, "hog_main", 0, 23605, 233472, 23662}}},
    {"6.18",
     108972,
     145,
     148,
     {{139, "kf", -1000, 6897, 98304, 0},
      {144, "by_a", 0, 5301, 81920, 5321},
      {145, "by_b", 500, 15573, 163840, 69613},
      {146, "by_c", -500, 25781, 249856, -28158},
      {147, "by_d", -1000, 7893, 106496, 0},
      {148, "by_e", 300, 10421, 126976, 42852},
      {149, "mmowner", 100, 2773, 65536, 13589},
      {150, "mthog", 200, 4053, 77824, 25672},
      {152, "sharer", 100, 2773, 65536, 13589},
      {156, "hog_main", 0, 22613, 225280, 22668}}},
    {"7.3",
     106445,
     112,
     115,
     {{107, "kf", -1000, 6939, 94208, 0},
      {111, "by_a", 0, 5378, 81920, 5398},
      {112, "by_b", 500, 15618, 163840, 68658},
      {113, "by_c", -500, 25859, 249856, -27080},
      {114, "by_d", -1000, 7938, 106496, 0},
      {115, "by_e", 300, 10497, 122880, 42327},
      {116, "mmowner", 100, 2818, 65536, 13434},
      {117, "mthog", 200, 4101, 73728, 25319},
      {118, "sharer", 100, 2818, 65536, 13434},
      {123, "hog_main", 0, 18442, 188416, 18488}}},
};

struct SelectionTest : AnalysisTest {
  void kill(const KernelTable& table, std::optional<std::int64_t> chosen_points) {
    events.at(100).start();
    for (const Row& row : table.rows) {
      if (row.pid != table.chosen) continue;
      OomKill kill =
          test::global_kill(1, ref(row.pid, row.comm), table_row(row.rss_pages, row.pgtables_bytes), table.total_pages);
      kill.oom_score_adj = row.adj;
      kill.decision.chosen_points = chosen_points;
      events.emit(kill);
    }
    for (const Row& row : table.rows) {
      events.candidate(1, ref(row.pid, row.comm), table_row(row.rss_pages, row.pgtables_bytes), row.adj, {},
                       row.adj == -1000 ? Excluded::kAdjMin : Excluded::kNot);
    }
    events.end(1, static_cast<std::uint32_t>(table.rows.size()));
  }
};

struct MeasuredSelection : SelectionTest, ::testing::WithParamInterface<KernelTable> {};

TEST_P(MeasuredSelection, the_formula_gives_the_points_the_kernel_had) {
  const KernelTable& table = GetParam();
  const auto chosen =
      std::find_if(table.rows.begin(), table.rows.end(), [&](const Row& row) { return row.pid == table.chosen; });
  kill(table, chosen->points);
  const Selection selection = incident().selection;
  ASSERT_EQ(selection.candidates.size(), table.rows.size());
  for (const Row& row : table.rows) {
    const Candidate* found = candidate(selection, row.pid);
    ASSERT_NE(found, nullptr);
    if (row.adj == -1000) {
      EXPECT_EQ(found->excluded, "oom_score_adj_min");
      EXPECT_FALSE(found->points);
    } else {
      EXPECT_EQ(found->points, row.points) << row.comm;
    }
  }
  EXPECT_EQ(selection.candidates.front().pid, table.chosen);
  EXPECT_TRUE(selection.candidates.front().victim);
  EXPECT_EQ(selection.runner_up_pid, table.runner_up);
  EXPECT_EQ(selection.margin_points, chosen->points - candidate(selection, table.runner_up)->points.value());
  EXPECT_EQ(selection.points_reproduced, true);
  EXPECT_EQ(selection.provenance, "kernel_walk");
  EXPECT_TRUE(selection.candidates.back().excluded);
}

INSTANTIATE_TEST_SUITE_P(Kernels, MeasuredSelection, ::testing::ValuesIn(kMeasured));

TEST_F(SelectionTest, points_that_differ_by_one_are_not_reproduced) {
  kill(kMeasured[0], 71645);
  EXPECT_EQ(incident().selection.points_reproduced, false);
}

TEST_F(SelectionTest, a_margin_beyond_64_bits_is_not_told) {
  events.at(100).start();
  OomKill kill = test::global_kill(1, ref(5, "a"), mib(4), 1000);
  kill.decision.chosen_points = INT64_MAX;
  events.emit(kill);
  for (const auto& [pid, points] : {std::pair{5U, INT64_MAX}, std::pair{6U, INT64_MIN}}) {
    OomCandidate candidate;
    candidate.incident_id = 1;
    candidate.process = ref(pid, "a");
    candidate.points = points;
    events.emit(candidate);
  }
  events.end(1, 2);
  EXPECT_EQ(incident().selection.margin_points, std::nullopt);
}

TEST_F(SelectionTest, without_the_kernels_points_nothing_is_claimed) {
  kill(kMeasured[0], std::nullopt);
  EXPECT_EQ(incident().selection.points_reproduced, std::nullopt);
}

TEST_F(SelectionTest, all_thousandths_are_rounded_before_they_are_multiplied) {
  events.at(1).start();
  OomKill kill = test::memcg_kill(1, ref(7, "hog"), {}, {5, "/a"}, 64 * test::kMiB);
  MemoryCounters memory;
  memory.anon = 2554 * 4096;
  memory.file = 4096;
  memory.shmem = 244 * 4096;
  memory.pgtables = 65536;
  kill.memory = memory;
  kill.oom_score_adj = -300;
  kill.decision.chosen_points = -1985;
  events.emit(kill);
  events.candidate(1, ref(7, "hog"), memory, -300, {5, "/a"});
  const Selection selection = incident().selection;
  EXPECT_EQ(selection.candidates.at(0).points, -1985);
  EXPECT_EQ(selection.candidates.at(0).adj_points, -4800);
  EXPECT_EQ(selection.points_reproduced, true);
}

TEST_F(SelectionTest, of_equal_points_the_later_scanned_one_wins) {
  events.at(1).start();
  events.emit(test::global_kill(1, ref(20, "late"), table_row(100, 0), 100000));
  events.candidate(1, ref(10, "early"), table_row(100, 0));
  events.candidate(1, ref(20, "late"), table_row(100, 0));
  events.end(1, 2);
  const Selection selection = incident().selection;
  EXPECT_EQ(selection.candidates.at(0).pid, 20u);
  EXPECT_EQ(selection.margin_points, 0);
  EXPECT_NE(selection.summary.find("scanned earlier"), std::string::npos) << selection.summary;
}

TEST_F(SelectionTest, counters_below_zero_count_as_nothing) {
  events.at(1).start();
  MemoryCounters memory;
  memory.anon = 10 * 4096;
  memory.file = -5 * 4096;
  memory.swap = -3 * 4096;
  events.emit(test::global_kill(1, ref(20, "x"), memory, 100000));
  events.candidate(1, ref(20, "x"), memory);
  EXPECT_EQ(incident().selection.candidates.at(0).points, 10);
}

TEST_F(SelectionTest, limit_and_swap_make_the_total_where_the_decision_does_not_tell) {
  events.at(1).start({}, 8192, 100);
  OomKill kill = test::memcg_kill(1, ref(20, "x"), table_row(10, 0), {5, "/a"}, 400 * test::kMiB);
  kill.decision.total_pages.reset();
  kill.decision.swap_limit = static_cast<std::uint64_t>(50 * test::kMiB);
  events.emit(kill);
  EXPECT_EQ(incident().selection.total_pages, (400u + 50u) * 256u);
}

TEST_F(SelectionTest, without_a_total_there_are_no_points) {
  events.at(1).start();
  OomKill kill = test::memcg_kill(1, ref(20, "x"), table_row(10, 0), {5, "/a"}, 400 * test::kMiB);
  kill.decision.total_pages.reset();
  kill.decision.limit.reset();
  events.emit(kill);
  events.candidate(1, ref(20, "x"), table_row(10, 0), 100);
  const Selection selection = incident().selection;
  EXPECT_EQ(selection.total_pages, std::nullopt);
  EXPECT_EQ(selection.candidates.at(0).points, std::nullopt);
  EXPECT_EQ(selection.candidates.at(0).rss_pages, 10);
}

TEST_F(SelectionTest, where_nobody_is_adjusted_no_total_is_needed) {
  events.at(1).start();
  OomKill kill = test::memcg_kill(1, ref(20, "x"), table_row(10, 0), {5, "/a"}, 400 * test::kMiB);
  kill.decision.total_pages.reset();
  kill.decision.limit.reset();
  events.emit(kill);
  events.candidate(1, ref(20, "x"), table_row(10, 0), 0);
  events.candidate(1, ref(21, "y"), table_row(7, 0), 0);
  const Selection selection = incident().selection;
  EXPECT_EQ(selection.total_pages, std::nullopt);
  EXPECT_EQ(selection.candidates.at(0).points, 10);
  EXPECT_EQ(selection.margin_points, 3);
}

TEST_F(SelectionTest, a_victim_that_the_census_missed_is_added_from_its_kill) {
  events.at(1).start();
  events.emit(test::global_kill(1, ref(20, "gone"), table_row(500, 8192), 100000));
  events.candidate(1, ref(10, "left"), table_row(100, 0));
  const Selection selection = incident().selection;
  ASSERT_EQ(selection.candidates.size(), 2u);
  EXPECT_EQ(selection.candidates[0].pid, 20u);
  EXPECT_EQ(selection.candidates[0].points, 502);
  EXPECT_EQ(selection.runner_up_pid, 10u);
}

TEST_F(SelectionTest, who_shares_the_victims_memory_is_no_runner_up) {
  events.at(1).start();
  events.emit(test::global_kill(1, ref(20, "owner"), table_row(500, 0), 100000));
  OomCandidate sharer;
  sharer.incident_id = 1;
  sharer.process = ref(19, "sharer");
  sharer.memory = table_row(500, 0);
  sharer.oom_score_adj = 0;
  sharer.shares_victim_memory = true;
  events.emit(sharer);
  events.candidate(1, ref(20, "owner"), table_row(500, 0));
  events.candidate(1, ref(30, "other"), table_row(100, 0));
  EXPECT_EQ(incident().selection.runner_up_pid, 30u);
}

TEST_F(SelectionTest, the_mark_of_this_very_kill_excludes_nobody) {
  events.at(1).start();
  events.emit(test::global_kill(1, ref(20, "x"), table_row(500, 0), 100000));
  events.candidate(1, ref(20, "x"), table_row(500, 0), 0, {}, Excluded::kAlreadyDying);
  EXPECT_EQ(incident().selection.candidates.at(0).excluded, std::nullopt);
}

TEST_F(SelectionTest, whom_the_kernels_table_leaves_out_was_not_within_the_nodes) {
  events.at(1).start();
  OomKill kill = test::global_kill(1, ref(20, "x"), table_row(500, 0), 100000);
  kill.decision.domain = DomainKind::kMempolicy;
  kill.decision.constraint = "CONSTRAINT_MEMORY_POLICY";
  kill.decision.nodes = "1";
  events.emit(kill);
  events.candidate(1, ref(20, "x"), table_row(500, 0));
  events.candidate(1, ref(21, "elsewhere"), table_row(900, 0));
  events.end(1, 2);
  OomCandidate logged;
  logged.incident_id = 1;
  logged.process = ref(20, "x");
  logged.memory = table_row(500, 0);
  logged.oom_score_adj = 0;
  logged.provenance = Provenance::kKernelLog;
  events.emit(logged);
  const auto excluded = [this] {
    for (const Candidate& candidate : incident().selection.candidates)
      if (candidate.pid == 21) return candidate.excluded;
    return std::optional<std::string>("not there");
  };
  EXPECT_EQ(excluded(), std::nullopt) << "the table may go on";
  events.emit(OomEnd{1, 1, 1, 0, Provenance::kKernelLog, false});
  EXPECT_EQ(excluded(), "other_domain");
}

TEST_F(SelectionTest, the_better_source_wins) {
  events.at(1).start();
  events.emit(test::global_kill(1, ref(20, "x"), table_row(500, 0), 100000));
  events.candidate(1, ref(20, "x"), table_row(500, 0));
  OomCandidate logged;
  logged.incident_id = 1;
  logged.process = ref(21, "y");
  logged.memory = table_row(600, 0);
  logged.oom_score_adj = 0;
  logged.provenance = Provenance::kKernelLog;
  events.emit(logged);
  const Selection selection = incident().selection;
  EXPECT_EQ(selection.provenance, "kernel_walk");
  EXPECT_EQ(selection.candidates.size(), 1u);
}

TEST_F(SelectionTest, the_summary_tells_what_the_adjustment_did) {
  kill(kMeasured[0], 71644);
  const std::string summary = incident().selection.summary;
  EXPECT_NE(summary.find("by_b (pid 91) had the most points of 8 candidates: 71,644, 27,558 more than by_e (pid 94)"),
            std::string::npos)
      << summary;
  EXPECT_NE(summary.find("oom_score_adj of 500 added 56,000 points; without it, it would have been the 4th of 8"),
            std::string::npos)
      << summary;
}

struct PartOfAList : SelectionTest {
  // A kill of one with a points adjustment, and the others that were told before the recording ends.
  void kill_and_tell(const std::vector<std::uint32_t>& others, std::int32_t adj = 0) {
    events.at(1).start();
    OomKill kill = test::global_kill(1, ref(20, "x"), table_row(500, 0), 100000);
    kill.oom_score_adj = adj;
    kill.decision.chosen_points = 500 + adj * 100;
    events.emit(kill);
    for (const std::uint32_t pid : others)
      events.candidate(1, ref(pid, pid == 20 ? "x" : "other"), table_row(pid == 20 ? 500 : 700, 0),
                       pid == 20 ? adj : 0);
  }
  bool misses(const char* text) const {
    const Incident found = incident();
    return std::any_of(found.missing.begin(), found.missing.end(),
                       [&](const std::string& line) { return line.find(text) != std::string::npos; });
  }
};

TEST_F(PartOfAList, a_list_without_its_end_claims_no_margin) {
  kill_and_tell({20, 30}, 10);
  const Incident found = incident();
  EXPECT_FALSE(found.selection.candidates_complete);
  EXPECT_FALSE(found.complete);
  EXPECT_EQ(found.selection.summary,
            "x (pid 20) had the most points of the 2 candidates that were told: 1,500; the list is not whole: what "
            "the others had is not known. Its oom_score_adj of 10 added 1,000 points; without it, it would have been "
            "the 2nd of the 2 that were told.");
  EXPECT_TRUE(misses("the end of their list was not seen"));
}

TEST_F(PartOfAList, one_candidate_of_a_list_without_its_end_is_not_the_only_one) {
  kill_and_tell({20}, 10);
  const std::string summary = incident().selection.summary;
  EXPECT_EQ(
      summary,
      "x (pid 20) is the only candidate that was told: 1,500 points; the list is not whole: what the others had is "
      "not known. Its oom_score_adj of 10 added 1,000 points.");
}

TEST_F(PartOfAList, rows_that_the_end_counts_and_nobody_told_are_missed) {
  kill_and_tell({20, 30}, 10);
  events.end(1, 4);
  EXPECT_FALSE(incident().selection.candidates_complete);
  EXPECT_TRUE(misses("the list had 4, and not all of them are in what was read"));
}

TEST_F(PartOfAList, a_scan_without_room_for_all_is_not_whole) {
  kill_and_tell({20, 30}, 10);
  events.end(1, 2, 3);
  EXPECT_FALSE(incident().selection.candidates_complete);
  EXPECT_TRUE(misses("3 candidates of the scan: there was no room for them"));
  EXPECT_FALSE(misses("not all of them are in what was read"));
}

TEST_F(PartOfAList, with_its_end_and_all_rows_it_is_whole) {
  kill_and_tell({20, 30}, 10);
  events.end(1, 2);
  EXPECT_TRUE(incident().selection.candidates_complete);
  EXPECT_FALSE(misses("candidates"));
  EXPECT_NE(incident().selection.summary.find("had the most points of 2 candidates: 1,500, 800 more than other"),
            std::string::npos);
}

TEST_F(PartOfAList, the_end_of_another_sources_list_does_not_count) {
  kill_and_tell({20, 30}, 10);
  events.emit(OomEnd{1, 2, 2, 0, Provenance::kKernelLog, false});
  EXPECT_FALSE(incident().selection.candidates_complete);
}

TEST_F(PartOfAList, victims_alone_are_no_list_of_candidates) {
  kill_and_tell({}, 10);
  OomKill member = test::global_kill(1, ref(21, "y"), table_row(5, 0), 100000);
  member.group_member = true;
  events.emit(member);
  EXPECT_EQ(incident().selection.provenance, std::nullopt);
  EXPECT_EQ(incident().selection.summary,
            "x (pid 20) had 1,500 points; the other candidates are not known. Its oom_score_adj of 10 added 1,000 "
            "points.");
}

TEST_F(SelectionTest, nothing_was_weighed_where_the_allocating_task_is_killed) {
  events.at(1).start();
  OomKill kill = test::global_kill(1, ref(20, "asker"), table_row(5, 0), 100000);
  kill.decision.decided_by = DecidedBy::kAllocatingTask;
  kill.decision.chosen_points = 0;
  events.emit(kill);
  events.candidate(1, ref(20, "asker"), table_row(5, 0));
  events.candidate(1, ref(30, "larger"), table_row(500, 0));
  const Incident found = incident();
  EXPECT_EQ(found.decided_by, "allocating_task");
  EXPECT_EQ(found.selection.points_reproduced, std::nullopt);
  EXPECT_EQ(found.selection.runner_up_pid, std::nullopt);
  EXPECT_NE(found.selection.summary.find("nothing was weighed"), std::string::npos);
}

TEST_F(SelectionTest, hostile_figures_do_not_overflow) {
  events.at(1).start();
  MemoryCounters memory;
  memory.anon = memory.file = memory.shmem = memory.swap = INT64_MAX;
  memory.pgtables = UINT64_MAX;
  events.emit(test::global_kill(1, ref(20, "x"), memory, UINT64_MAX));
  events.candidate(1, ref(20, "x"), memory, INT32_MIN);
  events.candidate(1, ref(21, "y"), memory, INT32_MAX);
  EXPECT_EQ(incident().selection.candidates.size(), 2u);
}

}  // namespace
}  // namespace oomtrace::analysis
