// SPDX-License-Identifier: Apache-2.0
// From an entry of the map to events: what is told, in how many lines, and that a line holds its regions.
#include "capture/region_reader.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>

#include "codec/json_writer.h"

namespace oomtrace::capture {
namespace {

std::unique_ptr<oomtrace_regions> entry_of(std::uint32_t regions, std::uint32_t faults) {
  auto entry = std::make_unique<oomtrace_regions>();
  entry->start_boot_ns = 77;
  for (std::uint32_t i = 0; i < regions; ++i) entry->at[i] = {0x3FFFFFFU - i, faults};
  return entry;
}

TEST(Regions, addresses_and_faults_are_told) {
  const auto entry = entry_of(2, 500);
  const auto events = describe_regions(12, *entry);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].process.pid, 12u);
  EXPECT_EQ(events[0].process.start_boot_ns, 77u);
  EXPECT_EQ(events[0].region_bytes, 2u << 20);
  ASSERT_EQ(events[0].regions.size(), 2u);
  EXPECT_EQ(events[0].regions[0].address, 0x3FFFFFFULL << 21);
  EXPECT_EQ(events[0].regions[0].write_protect, 500u);
}

TEST(Regions, a_process_that_wrote_little_is_not_told) {
  EXPECT_TRUE(describe_regions(12, *entry_of(3, 40)).empty());
  EXPECT_TRUE(describe_regions(12, *entry_of(0, 0)).empty());
}

TEST(Regions, faults_that_found_no_room_count) {
  auto entry = entry_of(0, 0);
  entry->elsewhere = 1000;
  const auto events = describe_regions(12, *entry);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].elsewhere, 1000u);
}

TEST(Regions, all_of_a_full_entry_fit_into_lines) {
  const auto entry = entry_of(OOMTRACE_REGION_SLOTS, UINT32_MAX);
  std::size_t told = 0;
  for (const ProcessRegions& regions : describe_regions(UINT32_MAX, *entry)) {
    Event event;
    event.boot_ns = event.seq = UINT64_MAX;
    event.host_name = std::string_view("a-host-name-as-long-as-they-are-in-a-cloud.example.internal");
    event.payload = regions;
    std::array<char, codec::kMaxLineBytes> line{};
    const auto length = codec::encode_line(event, line);
    ASSERT_TRUE(length);
    EXPECT_EQ(std::string_view(line.data(), *length).find("truncated"), std::string_view::npos);
    told += regions.regions.size();
  }
  EXPECT_EQ(told, std::size_t{OOMTRACE_REGION_SLOTS});
}

}  // namespace
}  // namespace oomtrace::capture
