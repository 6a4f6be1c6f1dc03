// SPDX-License-Identifier: Apache-2.0
// Points from the task tables of older kernels, by the formula that each of them had.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "analysis/build_report.h"
#include "kernel_log/log_parser.h"
#include "model/world.h"

namespace oomtrace::analysis {
namespace {

class Replay : public kernel_log::EventConsumer {
 public:
  void on_event(const Event& event) override { world.apply(event); }
  model::World world;
};

struct Row {
  std::uint32_t pid, uid;
  std::uint64_t rss, nr_ptes, swapents;
  std::int32_t oom_score_adj;
};

// A global kill of 400,000 pages of memory and none of swap.
Selection select(const std::string& release, const std::vector<Row>& rows, std::uint32_t chosen, std::uint64_t score) {
  std::string log = fmt::format(
      "[1.000001] a invoked oom-killer: gfp_mask=0x201da, order=0, oom_score_adj=0\n"
      "[1.000002] CPU: 1 PID: 9 Comm: a Not tainted {} #1\n"
      "[1.000003] Mem-Info:\n"
      "[1.000003] active_anon:1 inactive_anon:1 isolated_anon:0\n"
      "[1.000003]  free:1 free_pcp:0 free_cma:0\n"
      "[1.000004] Total swap = 0kB\n"
      "[1.000004] 410000 pages RAM\n"
      "[1.000004] 10000 pages reserved\n"
      "[1.000005] [ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name\n",
      release);
  for (const Row& row : rows) {
    log += fmt::format("[1.000006] [{0}] {1} {0} {2} {2} {3} {4} {5} p{0}\n", row.pid, row.uid, row.rss, row.nr_ptes,
                       row.swapents, row.oom_score_adj);
  }
  log += fmt::format(
      "[1.000007] Out of memory: Kill process {0} (p{0}) score {1} or sacrifice child\n"
      "[1.000008] Killed process {0} (p{0}) total-vm:{2}kB, anon-rss:{2}kB, file-rss:0kB\n",
      chosen, score, rows.at(0).rss * 4);
  Replay replay;
  kernel_log::LogParser parser(replay);
  parser.feed(log);
  parser.finish();
  const Report report = build_report(replay.world, {"kernel_log", "test.log", {}});
  EXPECT_EQ(report.incidents.size(), 1U);
  return report.incidents.at(0).selection;
}

std::optional<std::int64_t> points(const Selection& selection, std::uint32_t pid) {
  for (const Candidate& row : selection.candidates) {
    if (row.pid == pid) return row.points;
  }
  return std::nullopt;
}

const char* const k316 = "3.16.0-4-amd64";
const char* const k44 = "4.4.0-210-generic";
const char* const k418 = "4.18.0-305.el8.x86_64";

TEST(LogSelection, adds_page_tables_and_swap_to_what_is_resident) {
  const Selection selection = select(k316, {{10, 1000, 200'000, 500, 100, 0}, {11, 1000, 1000, 10, 0, 0}}, 10, 501);
  EXPECT_EQ(selection.total_pages, 400'000U);
  EXPECT_EQ(points(selection, 10), 200'600);
  EXPECT_EQ(points(selection, 11), 1010);
  EXPECT_EQ(selection.points_reproduced, true) << "200,600 of 400,000 are 501 thousandths";
}

// 3.14 to 4.16: 3 % of its own pages less for CAP_SYS_ADMIN.
TEST(LogSelection, takes_off_roots_bonus_where_kernels_did) {
  const std::vector<Row> rows{{10, 1000, 200'000, 0, 0, 0}, {11, 0, 100'000, 0, 0, 0}};
  EXPECT_EQ(points(select(k44, rows, 10, 500), 11), 97'000);
  EXPECT_EQ(points(select(k418, rows, 10, 500), 11), 100'000) << "4.17 took it away";
}

TEST(LogSelection, tells_by_the_score_whether_the_chosen_one_had_the_bonus) {
  const std::vector<Row> rows{{10, 0, 200'000, 0, 0, 0}, {11, 1000, 1000, 0, 0, 0}};
  const Selection with = select(k44, rows, 10, 485);
  EXPECT_EQ(points(with, 10), 194'000);
  EXPECT_EQ(with.points_reproduced, true);
  const Selection without = select(k44, rows, 10, 500);
  EXPECT_EQ(points(without, 10), 200'000) << "a root without the capability";
  EXPECT_EQ(without.points_reproduced, true);
  EXPECT_EQ(select(k44, rows, 10, 700).points_reproduced, false);
}

TEST(LogSelection, counts_adjustments_in_thousandths_of_all_pages) {
  const Selection selection = select(k44, {{10, 1000, 100'000, 0, 0, 300}, {11, 1000, 150'000, 0, 0, 0}}, 10, 550);
  EXPECT_EQ(points(selection, 10), 100'000 + 300 * 400);
  EXPECT_EQ(selection.runner_up_pid, 11U);
  EXPECT_EQ(selection.points_reproduced, true);
}

// The number of a thread is in no table: its process is the one that was killed, and no child in its place.
TEST(LogSelection, takes_a_number_that_no_row_has_for_a_thread_of_the_victim) {
  const std::string log =
      "[1.000001] a invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\n"
      "[1.000002] CPU: 1 PID: 9 Comm: a Not tainted 3.10.0-693.el7.x86_64 #1\n"
      "[1.000003] Task in /a killed as a result of limit of /a\n"
      "[1.000003] memory: usage 4000kB, limit 4000kB, failcnt 1\n"
      "[1.000003] memory+swap: usage 4000kB, limit 4000kB, failcnt 1\n"
      "[1.000005] [ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name\n"
      "[1.000006] [   50]     0    50     2000      900      10        0             0 java\n"
      "[1.000007] Memory cgroup out of memory: Kill process 77 (java) score 910 or sacrifice child\n"
      "[1.000008] Killed process 50 (java) total-vm:8000kB, anon-rss:3600kB, file-rss:0kB\n";
  Replay replay;
  kernel_log::LogParser parser(replay);
  parser.feed(log);
  parser.finish();
  const Report report = build_report(replay.world, {"kernel_log", "test.log", {}});
  const Selection selection = report.incidents.at(0).selection;
  EXPECT_EQ(selection.summary.find("in its place"), std::string::npos) << selection.summary;
  EXPECT_EQ(points(selection, 50), 910);
  EXPECT_EQ(selection.points_reproduced, true);
}

}  // namespace
}  // namespace oomtrace::analysis
