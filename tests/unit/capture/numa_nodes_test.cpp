// SPDX-License-Identifier: Apache-2.0
// Present pages are summed over a node's zones.
#include "capture/numa_nodes.h"

#include <gtest/gtest.h>

namespace oomtrace::capture {
namespace {

TEST(PresentPages, AddsTheZonesOfEachNode) {
  const auto pages = parse_present_pages(
      "Node 0, zone      DMA\n  per-node stats\n      nr_inactive_anon 12\n  pages free     3840\n        spanned  "
      "4095\n"
      "        present  3998\n        managed  3840\n"
      "Node 0, zone    DMA32\n        present  94208\n        managed  90000\n"
      "Node 2, zone   Normal\n        present  98304\n");
  EXPECT_EQ(pages, (std::vector<std::uint64_t>{3998 + 94208, 0, 98304}));
}

TEST(PresentPages, DamagedTextGivesNoNodes) {
  EXPECT_TRUE(parse_present_pages("").empty());
  EXPECT_TRUE(parse_present_pages("        present  5\n").empty()) << "no node before it";
  EXPECT_TRUE(parse_present_pages("Node 99999999, zone DMA\n        present  5\n").empty());
  EXPECT_TRUE(parse_present_pages("Node 0, zone DMA\n        present  x").empty());
}

}  // namespace
}  // namespace oomtrace::capture
