// SPDX-License-Identifier: Apache-2.0
// Damaged logs: lines cut, swapped, repeated, lost, bytes flipped. No crash, no hang, no growth, and no event that
// breaks its own rules. Worth the most under the sanitizers.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "event_collector.h"
#include "log_files.h"
#include "mutate.h"
#include "sound_log.h"

namespace oomtrace::kernel_log {
namespace {

TEST(Mutations, of_logs_are_survived) {
  std::vector<std::filesystem::path> logs;
  for (const std::string& name : log_names()) logs.push_back(log_folder() / name);
  if (const char* corpus = std::getenv("OOMTRACE_CORPUS")) {
    for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
      if (entry.path().extension() == ".log") logs.push_back(entry.path());
    }
  } else {
    std::cout << "not run: mutations of the corpus, since OOMTRACE_CORPUS is not set\n";
  }
  const char* wanted = std::getenv("OOMTRACE_MUTATIONS");
  const unsigned rounds = wanted ? static_cast<unsigned>(std::strtoul(wanted, nullptr, 10)) : 6;
  const auto begin = std::chrono::steady_clock::now();
  std::size_t bytes = 0;
  for (const auto& path : logs) {
    const std::string text = read_file(path);
    for (unsigned seed = 0; seed < rounds; ++seed) {
      Random random(seed);
      const std::string damaged = mutate(text, random);
      expect_sound(collect(damaged, 1 + below(random, 5000)), path.filename().string(), seed);
      bytes += damaged.size();
    }
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  EXPECT_LT(seconds, 20.0 + static_cast<double>(bytes) / 200'000) << "a damaged log took too long";
}

TEST(Mutations, of_two_logs_into_one_are_survived) {
  const std::vector<std::string> names = log_names();
  for (unsigned seed = 0; seed < 40; ++seed) {
    Random random(seed);
    const std::vector<std::string> a = split(read_file(log_folder() / names[below(random, names.size())]), '\n');
    const std::vector<std::string> b = split(read_file(log_folder() / names[below(random, names.size())]), '\n');
    std::string mixed;
    for (std::size_t i = 0, j = 0; i < a.size() || j < b.size();) {
      const bool first = j == b.size() || (i < a.size() && random() % 2 == 0);
      mixed += (first ? a[i++] : b[j++]) + "\n";
    }
    expect_sound(collect(mixed), "mixed", seed);
  }
}

struct Counter : EventConsumer {
  void on_event(const Event&) override { ++events; }
  std::size_t events = 0;
};

std::size_t resident_kib() {
  const std::string status = read_file("/proc/self/status");
  return std::stoul(status.substr(status.find("VmRSS:") + 6));
}

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kMeasures = false;  // freed memory stays with the sanitizer for a while
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kMeasures = false;
#else
constexpr bool kMeasures = true;
#endif
#else
constexpr bool kMeasures = true;
#endif

// Input that a parser could be made to keep: one endless line, reports without an end, rows without end, open JSON,
// hosts without number. What is kept is full after the first third.
TEST(Mutations, endless_input_keeps_memory_bounded) {
  const std::string invoked = "x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n";
  const std::vector<std::pair<std::string, std::string>> endless{
      {"", std::string(4096, 'a')},
      {"", "{\"MESSAGE\":\"" + std::string(4096, 'b')},
      {"{", "\"a\":{\n"},
      {"", invoked},
      {"Tasks state (memory values in pages):\n", "[1] 0 1 2 3 4 5 6 a\n"},
      {"Memory cgroup stats for /a:\n", "anon 1 file 2\n"},
      {"__CURSOR=1\n", "FIELD=" + std::string(2000, 'c') + "\n"},
      {invoked, " dump_stack+0x1/0x2\n"},
      {invoked + "Killed process 1 (a) total-vm:8kB, anon-rss:4kB, file-rss:0kB\n",
       "a[5]: segfault at 0 ip 0 sp 0 error 4\n"},
      {"Killed process 1 (a", "b\n"},
      {"MESSAGE\n", std::string("\xff\xff\xff\x00\x00\x00\x00\x00", 8)},
  };
  constexpr std::size_t kHalf = 3U << 18;
  for (const auto& [head, body] : endless) {
    Counter counter;
    LogParser parser(counter);
    parser.feed(head);
    std::string half;
    while (half.size() < kHalf) half += body;
    // A table is full at 65536 rows.
    for (int i = 0; i < 2; ++i) parser.feed(half);
    const std::size_t before = resident_kib();
    for (int i = 0; i < 4; ++i) parser.feed(half);
    if (kMeasures) {
      EXPECT_LT(resident_kib(), before + 1536) << body.substr(0, 40);
    }
    parser.finish();
  }
  Counter counter;
  LogParser parser(counter);
  const auto feed_hosts = [&](int from) {
    for (int i = from; i < from + 1500; ++i) {
      parser.feed("2026-03-24T14:32:11Z " + std::string(100, 'h') + std::to_string(i) + " kernel: " + invoked);
    }
  };
  feed_hosts(0);
  const std::size_t before = resident_kib();
  feed_hosts(1500);
  if (kMeasures) {
    EXPECT_LT(resident_kib(), before + 512);
  } else {
    std::cout << "not run: the measure of memory, which the address sanitizer distorts\n";
  }
  parser.finish();
}

}  // namespace
}  // namespace oomtrace::kernel_log
