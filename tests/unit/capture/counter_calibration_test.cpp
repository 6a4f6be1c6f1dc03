// SPDX-License-Identifier: Apache-2.0
// Which counters the kernel weighs is told by its own points, or by the table in its log.
#include "capture/counter_calibration.h"

#include <gtest/gtest.h>

namespace oomtrace::capture {
namespace {

constexpr std::uint64_t kTotal = 16384;  // a limit of 64 MiB
constexpr std::uint32_t kPage = 4096;

// Two tables of Linux 7.3.4's log; the rows of the second are those of `noted()`.
constexpr std::string_view kLog =
    "[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents "
    "oom_score_adj name\n"
    "[    994]     0   994     7927     1000      838        0       162   102400        0     500 "
    "victim\n"
    "[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents "
    "oom_score_adj name\n"
    "[    994]     0   994     7927     1030      868        0       162   102400        0     500 "
    "victim\n"
    "[    995]     0   995     8951     8770     8608        0       162   106496        0       0 "
    "hog\n"
    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=other,mems_allowed=0-1\n";

oomtrace_mm counters(std::int64_t anon) {
  oomtrace_mm mm{};
  mm.anon_pages = anon;
  mm.pgtables_bytes = 16 * kPage;
  return mm;
}

oomtrace_rss sums(std::int64_t anon) { return {0, anon, 0, 0}; }

oomtrace_oom_candidate candidate() {
  oomtrace_oom_candidate c{};
  c.mm = counters(1000);
  c.exact = sums(1030);
  c.adj = 100;
  c.h.valid = OOMTRACE_HAS_EXACT_RSS | OOMTRACE_HAS_POINTS;
  c.points = points_of(c.mm, c.adj, kTotal, kPage);
  return c;
}

struct CounterCalibrationTest : ::testing::Test {
  CounterCalibration calibration{kPage, KernelLogFollower::open("/dev/null")};
};

TEST(PointsOf, DividesBeforeItMultiplies) {
  oomtrace_mm mm{};
  mm.file_pages = 1;
  mm.anon_pages = 2554;
  mm.shmem_pages = 244;
  mm.pgtables_bytes = 65536;
  EXPECT_EQ(points_of(mm, -300, 16384, 4096), -1985) << "unit is 16, not 16.384";
}

TEST(PointsOf, ClampsEachCounter) {
  oomtrace_mm mm{};
  mm.file_pages = -5;
  mm.anon_pages = 10;
  EXPECT_EQ(points_of(mm, 0, 16384, 4096), 10);
}

TEST_F(CounterCalibrationTest, TakesTheApproximateOnesUntilTaughtOtherwise) {
  oomtrace_oom_candidate row = candidate();
  calibration.apply(row);
  EXPECT_FALSE(calibration.settled());
  EXPECT_EQ(row.mm.anon_pages, 1000);
}

TEST_F(CounterCalibrationTest, LearnsExactSumsFromTheKernelsPoints) {
  calibration.learn_from_points(counters(2000), sums(2011), 0, kTotal, 2027);
  ASSERT_TRUE(calibration.exact());
  oomtrace_oom_candidate row = candidate();
  calibration.apply(row);
  EXPECT_EQ(row.mm.anon_pages, 1030);
  EXPECT_EQ(row.points, 1030 + 16 + 100 * 16);
  oomtrace_oom_kill kill{};
  kill.mm = counters(50);
  kill.exact = sums(60);
  kill.points = 66;
  kill.h.valid = OOMTRACE_HAS_EXACT_RSS | OOMTRACE_HAS_POINTS;
  calibration.apply(kill);
  EXPECT_EQ(kill.mm.anon_pages, 60);
  EXPECT_EQ(kill.points, 76);
}

TEST_F(CounterCalibrationTest, LearnsApproximateOnesFromTheKernelsPoints) {
  calibration.learn_from_points(counters(2000), sums(2011), 0, kTotal, 2016);
  EXPECT_TRUE(calibration.settled());
  EXPECT_FALSE(calibration.exact());
}

TEST_F(CounterCalibrationTest, EqualCountersAndForeignPointsTeachNothing) {
  calibration.learn_from_points(counters(2000), sums(2000), 0, kTotal, 2016);
  calibration.learn_from_points(counters(2000), sums(2011), 0, kTotal, 9999);
  EXPECT_FALSE(calibration.settled());
}

TEST_F(CounterCalibrationTest, LearnsFromTheLastTableOfTheLog) {
  calibration.note(994, counters(1000), sums(1030));
  calibration.learn_from_table(kLog);
  EXPECT_TRUE(calibration.exact()) << "1000 stands in the table of an earlier kill only";
}

TEST_F(CounterCalibrationTest, AProcessOfAnEarlierDecisionTeachesNothing) {
  calibration.note(994, counters(1000), sums(1030));
  calibration.begin_decision();
  calibration.learn_from_table(kLog);
  EXPECT_FALSE(calibration.settled());
}

TEST_F(CounterCalibrationTest, WithoutExactSumsARecordStaysAsItIs) {
  calibration.learn_from_points(counters(2000), sums(2011), 0, kTotal, 2027);
  oomtrace_oom_candidate row = candidate();
  row.h.valid = OOMTRACE_HAS_POINTS;
  calibration.apply(row);
  EXPECT_EQ(row.mm.anon_pages, 1000);
}

TEST(ParseTableRow, ReadsTheFirstColumnsOfAnyKernelsRow) {
  for (const char* line :
       {"[    995]     0   996     8951     8770     8608        0       162   106496        0             0 hog",
        "[    995]  1000   996     8951     8770   106496        0          -900 a [b] c"}) {
    TableRow row;
    ASSERT_TRUE(parse_table_row(line, row)) << line;
    EXPECT_EQ(row.tgid, 996u);
    EXPECT_EQ(row.rss_pages, 8770);
  }
}

TEST(ParseTableRow, RefusesWhatIsNoRow) {
  for (const char* line :
       {"", "[", "[ ]", "[    995]", "[    995]     0   996     8951", "[    995]     0   996     8951     877x",
        "[  pid  ]   uid  tgid total_vm      rss", "Memory cgroup out of memory: Killed process 995 (hog)",
        "[99999999999]     0   1   2     3 "}) {
    TableRow row{7, 7};
    EXPECT_FALSE(parse_table_row(line, row)) << line;
    EXPECT_EQ(row.tgid, 7u);
  }
}

}  // namespace
}  // namespace oomtrace::capture
