// SPDX-License-Identifier: Apache-2.0
// Parsers of /proc/PID files, with the names that people give to processes.
#include "capture/process_info.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <latch>
#include <thread>

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
  const auto selected = select_environment(
      "HOME=/root\0RANK=3\0AWS_SECRET_ACCESS_KEY=x\0LOCAL_RANK=1\0RANKED=9\0NOEQUALS\0MV2_COMM_WORLD_RANK=2\0"s, true);
  ASSERT_EQ(selected.size(), 3U);
  EXPECT_EQ(selected[2], std::pair("MV2_COMM_WORLD_RANK"s, "2"s));
  EXPECT_EQ(selected[0], std::pair("RANK"s, "3"s));
  EXPECT_EQ(selected[1], std::pair("LOCAL_RANK"s, "1"s));
}

TEST(SelectEnvironment, CutsLongValues) {
  const auto selected = select_environment("TF_CONFIG=" + std::string(10000, 'x'), true);
  ASSERT_EQ(selected.size(), 1U);
  EXPECT_EQ(selected[0].second.size(), 256U);
}

TEST(SelectEnvironment, MasksSecretsInValues) {
  const std::string bytes =
      "TF_CONFIG={\"cluster\": {\"worker\": [\"h:1\"]}, \"token\": \"a b\", \"task\": {\"type\": \"worker\"}}\0"
      "TORCHELASTIC_RUN_ID=hf_abcdefGHIJ0123456789\0ROLE_NAME=--password x1\0"s;
  const auto masked = select_environment(bytes, true);
  ASSERT_EQ(masked.size(), 3U);
  EXPECT_EQ(masked[0].second,
            "{\"cluster\": {\"worker\": [\"h:1\"]}, \"token\": \"***\", \"task\": {\"type\": \"worker\"}}");
  EXPECT_EQ(masked[1].second, "hf_***");
  EXPECT_EQ(masked[2].second, "--password **");
  EXPECT_EQ(select_environment(bytes, false)[1].second, "hf_abcdefGHIJ0123456789");
}

// Where the cut would have left too little of a token for its shape to be known.
TEST(SelectEnvironment, MasksBeforeItCuts) {
  const auto selected = select_environment("TF_CONFIG=" + std::string(240, ' ') + "hf_abcdefGHIJ0123456789", true);
  ASSERT_EQ(selected.size(), 1U);
  EXPECT_EQ(selected[0].second, std::string(240, ' ') + "hf_***");
}

TEST(SelectEnvironment, KeepsWhatRolesAreToldBy) {
  const std::vector<std::pair<std::string, std::string>> variables = {
      {"MASTER_ADDR", "node-1.cluster.local"},
      {"MASTER_PORT", "29500"},
      {"ROLE_NAME", "default"},
      {"TORCHELASTIC_RUN_ID", "4f1c5c1e-6ad2-4b2c-8a3e-0b8a6d4f9e11"},
      {"RAY_JOB_ID", "01000000"},
      {"CUDA_VISIBLE_DEVICES", "GPU-5ebe9f43-ac33420d-4628,1"},
      {"SLURM_PROCID", "7"}};
  std::string bytes;
  for (const auto& [name, value] : variables) bytes.append(name + "=" + value).push_back('\0');
  EXPECT_EQ(select_environment(bytes, true), variables);
}

TEST(SelectLibraries, KeepsTellingOnesOnce) {
  const auto libraries = select_libraries(
      "7f00-7f01 r-xp 0 08:01 1 /usr/lib/libtorch_cpu.so\n7f02-7f03 r--p 0 08:01 1 /usr/lib/libtorch_cpu.so\n"
      "7f04-7f05 r-xp 0 08:01 2 /usr/lib/libc.so.6\n7f06-7f07 rw-p 0 0:0 0 [heap]\n");
  ASSERT_EQ(libraries.size(), 1U);
  EXPECT_EQ(libraries[0], "libtorch_cpu.so");
}

TEST(SelectLibraries, KeepsDevicesOfAccelerators) {
  const auto libraries = select_libraries(
      "7f129ffff000-7f12a0000000 rw-s 00000000 00:05 511                        /dev/nvidia/\n"
      "7f12a0000000-7f12a0001000 rw-s 00000000 00:05 512                        /dev/nvidia0\n"
      "7f12a0001000-7f12a0002000 rw-s 00044000 00:05 513                        /dev/nvidiactl\n"
      "7f12a0002000-7f12a0003000 rw-s 00044000 00:05 513                        /dev/nvidiactl\n"
      "7f12b0000000-7f12b0001000 rw-s 00000000 00:05 600                        /dev/kfd\n"
      "7f12b0001000-7f12b0002000 rw-s 00000000 00:01 7                          /dev/zero (deleted)\n"
      "7f12b0002000-7f12b0003000 r--s 00000000 08:01 8                          /data/dev/nvidia0\n"
      "7f12c0000000-7f12c0001000 r-xp 00000000 08:01 9                          "
      "/usr/lib/python3/dist-packages/tensorflow/python/_pywrap_tensorflow_internal.so\n");
  EXPECT_EQ(libraries, (std::vector<std::string>{"nvidia0", "nvidiactl", "kfd", "_pywrap_tensorflow_internal.so"}));
}

// A machine with many devices must not push out the libraries that tell more.
TEST(SelectLibraries, KeepsRoomForLibrariesBesideManyDevices) {
  std::string maps;
  for (int i = 0; i < 100; ++i)
    maps += "7f12a0000000-7f12a0001000 rw-s 00000000 00:05 512 /dev/nvidia" + std::to_string(i) + "\n";
  maps += "7f12c0000000-7f12c0001000 r-xp 00000000 08:01 9 /usr/lib/libtorch_cpu.so\n";
  const auto libraries = select_libraries(maps);
  EXPECT_EQ(libraries.size(), 9U);
  EXPECT_EQ(libraries.back(), "libtorch_cpu.so");
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

// On a machine with many processors the threads of OpenMP are the first in /proc/PID/task.
TEST(ReadProcessInfo, TellsTheNamesOfThreadsBehindManyOthers) {
  constexpr int kThreads = 200;
  std::latch named(kThreads), end(1);
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      const std::string name = i + 1 < kThreads ? "omp_" + std::to_string(i) : "pt_autograd_0";
      pthread_setname_np(pthread_self(), name.c_str());
      named.count_down();
      end.wait();
    });
  }
  named.wait();
  const auto info = read_process_info(static_cast<std::uint32_t>(getpid()), 0, true);
  end.count_down();
  ASSERT_TRUE(info);
  EXPECT_NE(std::find(info->threads.begin(), info->threads.end(), "pt_autograd_0"), info->threads.end());
  EXPECT_LE(info->threads.size(), 65U);
}

TEST(ReadProcessInfo, RefusesAnotherProcessWithTheSamePid) {
  EXPECT_FALSE(read_process_info(static_cast<std::uint32_t>(getpid()), 1, true));
}

}  // namespace
}  // namespace oomtrace::capture
