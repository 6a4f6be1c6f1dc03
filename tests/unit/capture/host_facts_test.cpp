// SPDX-License-Identifier: Apache-2.0
// What is read of this machine's clocks, and how traces are named.
#include "capture/host_facts.h"

#include <gtest/gtest.h>
#include <time.h>

#include <cstdlib>

namespace oomtrace::capture {
namespace {

std::int64_t now(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

TEST(HostFacts, the_later_trace_of_a_boot_has_the_greater_id) {
  std::string last;
  for (int i = 0; i < 5; ++i) {
    const std::string id = read_host_facts().trace_id;
    EXPECT_EQ(id.size(), 32U);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_GT(id, last);
    last = id;
    const timespec pause{0, 2'000'000};
    nanosleep(&pause, nullptr);
  }
}

TEST(HostFacts, the_offset_of_the_clock_is_what_lies_between_the_two) {
  const auto offset = read_realtime_offset();
  if (!offset) GTEST_SKIP() << "this machine is too busy to read two clocks at a time";
  const std::int64_t rough = now(CLOCK_REALTIME) - now(CLOCK_BOOTTIME);
  EXPECT_LT(std::abs(rough - *offset), 100'000'000);
}

}  // namespace
}  // namespace oomtrace::capture
