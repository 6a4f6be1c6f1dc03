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
  entry->shift = OOMTRACE_REGION_SHIFT;
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
  EXPECT_EQ(events[0].regions[0].address, 0x3FFFFFEULL << 21);
  EXPECT_EQ(events[0].regions[0].write_protect, 500u);
}

TEST(Regions, a_large_family_has_larger_regions) {
  auto entry = entry_of(0, 0);
  entry->shift = 26;
  entry->at[5] = {1 + (0x7f0000000000 >> 26), 9000};
  const auto events = describe_regions(12, *entry);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].region_bytes, 64u << 20);
  ASSERT_EQ(events[0].regions.size(), 1u);
  EXPECT_EQ(events[0].regions[0].address, 0x7f0000000000U);
}

TEST(Regions, an_entry_that_has_not_begun_is_not_told) {
  const auto entry = entry_of(3, 1000);
  entry->shift = 0;
  EXPECT_TRUE(describe_regions(12, *entry).empty());
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

TEST(Regions, the_dead_are_kept_for_the_kill_that_they_died_in) {
  auto entry = entry_of(1, 500);
  EXPECT_FALSE(outdated(*entry, UINT64_MAX));
  entry->ended_boot_ns = 1'000'000'000;
  EXPECT_FALSE(outdated(*entry, 1'000'000'000 + OOMTRACE_KILL_IS_NEW_NS));
  EXPECT_TRUE(outdated(*entry, 1'000'000'001 + OOMTRACE_KILL_IS_NEW_NS));
}

// As the programs look for a slot; whether there was one.
bool take_slot(oomtrace_regions& all, std::uint32_t number) {
  for (std::uint32_t probe = 0; probe < OOMTRACE_REGION_PROBES; ++probe) {
    oomtrace_region& slot = all.at[oomtrace_region_slot(number, probe)];
    if (slot.number == 0) slot.number = number;
    if (slot.number == number) return true;
  }
  return false;
}

TEST(Regions, heap_and_arenas_with_the_same_low_bits_find_slots_beside_each_other) {
  auto all = entry_of(0, 0);
  for (const std::uint32_t base : {0xECU, 0x3FEC0ECU, 0x3FEB8ECU})
    for (std::uint32_t i = 0; i < 300; ++i) EXPECT_TRUE(take_slot(*all, base + i)) << base << " + " << i;
}

TEST(Regions, one_range_fills_all_slots) {
  auto all = entry_of(0, 0);
  for (std::uint32_t i = 0; i < OOMTRACE_REGION_SLOTS; ++i) EXPECT_TRUE(take_slot(*all, 0x3FEC0ECU + i));
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
