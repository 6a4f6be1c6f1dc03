// SPDX-License-Identifier: Apache-2.0
// Which counters the kernel's scan went by is told by its own points.
#include "capture/scan_reader.h"

#include <gtest/gtest.h>

#include <vector>

namespace oomtrace::capture {
namespace {

constexpr std::uint64_t kTotal = 16384;  // a limit of 64 MiB
constexpr std::uint32_t kPage = 4096;

oomtrace_oom_candidate candidate(std::int64_t approximate_anon, std::int64_t exact_anon, std::int32_t adj) {
  oomtrace_oom_candidate c{};
  c.mm.anon_pages = approximate_anon;
  c.mm.pgtables_bytes = 16 * kPage;
  c.exact.anon_pages = exact_anon;
  c.adj = adj;
  c.h.valid = OOMTRACE_HAS_EXACT_RSS | OOMTRACE_HAS_POINTS;
  c.points = points_of(c.mm, adj, kTotal, kPage);
  return c;
}

void chosen_with(oomtrace_oom_candidate& c, std::int64_t points) {
  c.kernel_points = points;
  c.h.valid |= OOMTRACE_HAS_KERNEL_POINTS;
}

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

TEST(SettleCounters, KeepsTheApproximateOnesWhereTheyReproduceThePoints) {
  std::vector<oomtrace_oom_candidate> scan{candidate(1000, 1030, 0), candidate(2000, 2011, 0)};
  chosen_with(scan[0], 1016);
  chosen_with(scan[1], 2016);
  EXPECT_FALSE(settle_counters(scan, kTotal, kPage));
  EXPECT_EQ(scan[1].mm.anon_pages, 2000);
}

TEST(SettleCounters, TakesTheExactOnesWhereOnlyTheyDo) {
  std::vector<oomtrace_oom_candidate> scan{candidate(1000, 1030, 0), candidate(2000, 2011, 0), candidate(7, 9, 100)};
  chosen_with(scan[0], 1046);
  chosen_with(scan[1], 2027);
  EXPECT_TRUE(settle_counters(scan, kTotal, kPage));
  EXPECT_EQ(scan[0].points, 1046);
  EXPECT_EQ(scan[2].mm.anon_pages, 9);
  EXPECT_EQ(scan[2].points, 9 + 16 + 100 * 16);
}

TEST(SettleCounters, ChangesNothingWithoutTheKernelsWord) {
  std::vector<oomtrace_oom_candidate> scan{candidate(1000, 1030, 0)};
  EXPECT_FALSE(settle_counters(scan, kTotal, kPage));
  EXPECT_EQ(scan[0].mm.anon_pages, 1000);
}

}  // namespace
}  // namespace oomtrace::capture
