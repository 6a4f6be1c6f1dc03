// SPDX-License-Identifier: Apache-2.0
// Order by boot time, first come first served among equals, nothing lost or mixed up.
#include "capture/merge_buffer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>

namespace oomtrace::capture {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string text_of(const MergeBuffer::Item& item) {
  return {reinterpret_cast<const char*>(item.bytes.data()), item.bytes.size()};
}

TEST(MergeBuffer, GivesRecordsInOrderOfBootTime) {
  MergeBuffer buffer(1024, 16);
  ASSERT_TRUE(buffer.push(30, 2, bytes_of("third")));
  ASSERT_TRUE(buffer.push(10, 0, bytes_of("first")));
  ASSERT_TRUE(buffer.push(20, 1, bytes_of("second")));
  MergeBuffer::Item item;
  for (const char* expected : {"first", "second", "third"}) {
    ASSERT_TRUE(buffer.pop(100, item));
    EXPECT_EQ(text_of(item), expected);
  }
  EXPECT_EQ(item.tag, 2U);
  EXPECT_FALSE(buffer.pop(100, item));
}

TEST(MergeBuffer, KeepsTheOrderOfArrivalAmongEqualTimes) {
  MergeBuffer buffer(4096, 64);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(buffer.push(5, 0, bytes_of(std::to_string(i))));
  MergeBuffer::Item item;
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(buffer.pop(5, item));
    EXPECT_EQ(text_of(item), std::to_string(i));
  }
}

TEST(MergeBuffer, HoldsBackWhatIsNotDue) {
  MergeBuffer buffer(1024, 16);
  ASSERT_TRUE(buffer.push(50, 0, bytes_of("later")));
  MergeBuffer::Item item;
  EXPECT_FALSE(buffer.pop(49, item));
  EXPECT_TRUE(buffer.pop(50, item));
}

TEST(MergeBuffer, RefusesWhatHasNoRoomAndCountsLateOnes) {
  MergeBuffer buffer(64, 4);
  ASSERT_TRUE(buffer.push(10, 0, bytes_of(std::string(40, 'a'))));
  EXPECT_FALSE(buffer.push(11, 0, bytes_of(std::string(40, 'b'))));
  EXPECT_FALSE(buffer.push(11, 0, bytes_of(std::string(65, 'c'))));
  MergeBuffer::Item item;
  ASSERT_TRUE(buffer.pop(UINT64_MAX, item));
  EXPECT_FALSE(buffer.pop(UINT64_MAX, item));
  ASSERT_TRUE(buffer.push(9, 0, bytes_of("late")));
  ASSERT_TRUE(buffer.pop(UINT64_MAX, item));
  EXPECT_EQ(text_of(item), "late");
  EXPECT_EQ(buffer.late(), 1U);
}

// Many rounds of random sizes and times through a small arena: every record comes out once, whole and in order.
TEST(MergeBuffer, SurvivesWrappingAroundItsArena) {
  MergeBuffer buffer(2000, 50);
  std::mt19937 random(7);
  std::uint64_t now = 1000;
  std::uint64_t pushed = 0;
  std::uint64_t popped = 0;
  std::uint64_t last = 0;
  MergeBuffer::Item item;
  const auto take = [&](std::uint64_t until) {
    while (buffer.pop(until, item)) {
      ++popped;
      EXPECT_GE(item.boot_ns, last);
      last = item.boot_ns;
      const std::string text = text_of(item);
      ASSERT_EQ(text, std::string(text.size(), static_cast<char>('a' + item.tag)));
    }
  };
  for (int round = 0; round < 20000; ++round) {
    const auto tag = static_cast<std::uint32_t>(random() % 26);
    const std::string text(1 + random() % 120, static_cast<char>('a' + tag));
    now += random() % 5;
    const std::uint64_t stamp = now - random() % 10;
    while (!buffer.push(std::max(stamp, last), tag, bytes_of(text))) {
      ASSERT_TRUE(buffer.pop(UINT64_MAX, item));
      ++popped;
      last = item.boot_ns;
    }
    ++pushed;
    take(now - 20);
  }
  take(UINT64_MAX);
  EXPECT_EQ(pushed, popped);
  EXPECT_TRUE(buffer.empty());
}

}  // namespace
}  // namespace oomtrace::capture
