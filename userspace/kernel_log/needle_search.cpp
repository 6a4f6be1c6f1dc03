// SPDX-License-Identifier: Apache-2.0
// Finds the next place in a log that may matter.
#include "kernel_log/needle_search.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace oomtrace::kernel_log {
namespace {

// Each at least kShortest long; the rarer the first kShortest bytes, the faster.
constexpr std::array<std::string_view, 37> kNeedles{"oom-kill",
                                                    "oom_reaper",
                                                    "oom.group",
                                                    "t of memory",
                                                    "t of Memory",
                                                    "led process ",
                                                    "ll process ",
                                                    "OOM victim",
                                                    "OOM killer",
                                                    "OOM request",
                                                    "OOM execution",
                                                    "killable process",
                                                    "cgroup stats",
                                                    ": usage ",
                                                    "of limit of ",
                                                    "limit reached of",
                                                    "Tasks state",
                                                    "total_vm",
                                                    "segfault",
                                                    "fatal signal",
                                                    "traps: ",
                                                    "unhandled ",
                                                    "general protection",
                                                    "Killing ",
                                                    "SIGTERM to process",
                                                    "SIGKILL to process",
                                                    "Sending SIGBUS",
                                                    "forcibly killing",
                                                    "due to memory",
                                                    "systemd-oomd killed",
                                                    "Linux version ",
                                                    "k swap on ",
                                                    "page allocation ",
                                                    "Kernel panic",
                                                    "s dropped",
                                                    "Missed ",
                                                    "callbacks suppressed"};
// Messages that journalctl gives as arrays of bytes hide their words.
constexpr std::array<std::string_view, 9> kMoreNeedles{
    "messages lost",   "status=9/KILL",  "ow memory!",          "no reclaimable memory", "\"MESSAGE\":[",
    "\"MESSAGE\" : [", "buffer overrun", "is killed by signal", "mm pinned by"};
constexpr std::size_t kShortest = 7;
constexpr std::size_t kTableBits = 12;
constexpr std::size_t kCount = kNeedles.size() + kMoreNeedles.size();

constexpr std::size_t hash(unsigned char a, unsigned char b) {
  return (static_cast<std::size_t>(a) << 5 ^ b) & ((1U << kTableBits) - 1);
}

struct Tables {
  std::array<std::string_view, kCount> needles{};
  std::array<std::uint8_t, 1U << kTableBits> shift{};
  // Needles by the hash of the block that ends their first kShortest bytes: first and next, 0xff = none.
  std::array<std::uint8_t, 1U << kTableBits> first{};
  std::array<std::uint8_t, kCount> next{};

  constexpr Tables() {
    for (std::size_t i = 0; i < kCount; ++i)
      needles[i] = i < kNeedles.size() ? kNeedles[i] : kMoreNeedles[i - kNeedles.size()];
    shift.fill(kShortest - 1);
    first.fill(0xff);
    for (std::size_t i = 0; i < kCount; ++i) {
      for (std::size_t end = 1; end < kShortest; ++end) {
        const std::size_t h =
            hash(static_cast<unsigned char>(needles[i][end - 1]), static_cast<unsigned char>(needles[i][end]));
        shift[h] = std::min<std::uint8_t>(shift[h], static_cast<std::uint8_t>(kShortest - 1 - end));
        if (end == kShortest - 1) {
          next[i] = first[h];
          first[h] = static_cast<std::uint8_t>(i);
        }
      }
    }
  }
};
constexpr Tables kTables;

constexpr bool long_enough() {
  for (const auto needle : kTables.needles) {
    if (needle.size() < kShortest) return false;
  }
  return true;
}
static_assert(long_enough() && kCount < 0xff);

}  // namespace

std::size_t find_needle(std::string_view text, std::size_t from) {
  const auto* data = reinterpret_cast<const unsigned char*>(text.data());
  const std::size_t size = text.size();
  std::size_t at = from + kShortest - 1;
  while (at < size) {
    const std::size_t h = hash(data[at - 1], data[at]);
    if (const std::size_t shift = kTables.shift[h]; shift != 0) {
      at += shift;
      continue;
    }
    const std::size_t begin = at - (kShortest - 1);
    for (std::size_t i = kTables.first[h]; i != 0xff; i = kTables.next[i]) {
      const std::string_view needle = kTables.needles[i];
      if (needle.size() <= size - begin && std::memcmp(data + begin, needle.data(), needle.size()) == 0) return begin;
    }
    ++at;
  }
  return std::string_view::npos;
}

}  // namespace oomtrace::kernel_log
