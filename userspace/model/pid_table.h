// SPDX-License-Identifier: Apache-2.0
// Which process has, or had, a pid: by the pid alone, and by pid and start time, which together are an identity.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/process.h"

namespace oomtrace::model {

// Holds no process itself: whoever owns one removes it here before it goes. Looked up several times for each event.
class PidTable {
 public:
  // Of a new process its pid is looked for in vain: in an empty bucket that costs no look at another's entry.
  PidTable() { entries_.max_load_factor(0.25F); }

  // Who holds or last held the pid; nullptr where nobody was seen to.
  Process* holder(std::size_t boot, std::uint32_t pid) const;
  // Who has that pid and started then (ns since boot; not 0).
  Process* started_at(std::size_t boot, std::uint32_t pid, std::uint64_t start_boot_ns) const;
  // Of those whose start is known: who started last, not after that time.
  Process* started_before(std::size_t boot, std::uint32_t pid, std::uint64_t boot_ns) const;

  void set_holder(Process& process);
  // By process.start_boot_ns; without one nothing is noted.
  void add_start(Process& process);
  void remove(const Process& process);

 private:
  struct Key {
    std::size_t boot;
    std::uint32_t pid;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const { return (key.boot << 32 ^ key.pid) * 0x9e3779b97f4a7c15ULL >> 16; }
  };
  struct Entry {
    Process* holder = nullptr;
    std::vector<std::pair<std::uint64_t, Process*>> by_start;  // ascending; one of them, but for pids that came round
  };

  struct Found {
    Key key{};
    const Entry* entry = nullptr;  // nullptr: there is none
  };

  Found& place(const Key& key) const { return found_[Hash{}(key) % found_.size()]; }
  const Entry* find(std::size_t boot, std::uint32_t pid) const;
  Entry& make(const Process& process);

  std::unordered_map<Key, Entry, Hash> entries_;
  // What was looked up last, for most events are of the same few processes, and of a new one its pid is looked up again
  // and again. An entry stays where it is until it goes. At first there is none of pid 0, which is what this says.
  mutable std::array<Found, 256> found_;
};

}  // namespace oomtrace::model
