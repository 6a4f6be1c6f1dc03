// SPDX-License-Identifier: Apache-2.0
// Parsers of /proc/PID files, with the names that people give to processes.
#include "capture/process_info.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace oomtrace::capture {
namespace {

using namespace std::string_literals;

constexpr const char* kTail =
    " S 4321 77 77 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 200 18446744073709551615 1 1";

TEST(ParseStat, FindsParentAndStartBehindAnyName) {
  for (const std::string name : {"python3", "a) R 1 2 3 (b", "x\ny", ")", ""}) {
    const auto fields = parse_stat("99 (" + name + ")" + kTail);
    ASSERT_TRUE(fields) << name;
    EXPECT_EQ(fields->parent_pid, 4321U);
    EXPECT_EQ(fields->start_ticks, 987654U);
  }
}

TEST(ParseStat, RefusesWhatIsCut) {
  EXPECT_FALSE(parse_stat(""));
  EXPECT_FALSE(parse_stat("99 (python3"));
  EXPECT_FALSE(parse_stat("99 (python3) S 4321 77"));
}

TEST(ParseCgroupPath, PrefersTheMemoryController) {
  EXPECT_EQ(parse_cgroup_path("0::/user.slice/session-2.scope\n"), "/user.slice/session-2.scope");
  EXPECT_EQ(parse_cgroup_path("5:cpu,cpuacct:/c\n4:memory,pids:/docker/abc:def\n0::/u\n"), "/docker/abc:def");
  EXPECT_EQ(parse_cgroup_path("garbage\n7\n"), "");
}

TEST(SelectEnvironment, TakesOnlyTheFixedNames) {
  const auto selected =
      select_environment("HOME=/root\0RANK=3\0AWS_SECRET_ACCESS_KEY=x\0LOCAL_RANK=1\0RANKED=9\0NOEQUALS\0"s);
  ASSERT_EQ(selected.size(), 2U);
  EXPECT_EQ(selected[0], std::pair("RANK"s, "3"s));
  EXPECT_EQ(selected[1], std::pair("LOCAL_RANK"s, "1"s));
}

TEST(SelectEnvironment, CutsLongValues) {
  const auto selected = select_environment("TF_CONFIG=" + std::string(10000, 'x'));
  ASSERT_EQ(selected.size(), 1U);
  EXPECT_EQ(selected[0].second.size(), 256U);
}

TEST(SelectLibraries, KeepsTellingOnesOnce) {
  const auto libraries = select_libraries(
      "7f00-7f01 r-xp 0 08:01 1 /usr/lib/libtorch_cpu.so\n7f02-7f03 r--p 0 08:01 1 /usr/lib/libtorch_cpu.so\n"
      "7f04-7f05 r-xp 0 08:01 2 /usr/lib/libc.so.6\n7f06-7f07 rw-p 0 0:0 0 [heap]\n");
  ASSERT_EQ(libraries.size(), 1U);
  EXPECT_EQ(libraries[0], "libtorch_cpu.so");
}

TEST(ReadProcessInfo, ReadsThisProcess) {
  const auto info = read_process_info(static_cast<std::uint32_t>(getpid()), 0, true);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->parent_pid, static_cast<std::uint32_t>(getppid()));
  EXPECT_EQ(info->uid, getuid());
  EXPECT_NE(info->executable.find("test_capture"), std::string::npos);
  EXPECT_NE(info->command_line.find("test_capture"), std::string::npos);
  EXPECT_FALSE(info->threads.empty());
}

TEST(ReadProcessInfo, RefusesAnotherProcessWithTheSamePid) {
  EXPECT_FALSE(read_process_info(static_cast<std::uint32_t>(getpid()), 1, true));
}

}  // namespace
}  // namespace oomtrace::capture
