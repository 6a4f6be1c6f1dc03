// SPDX-License-Identifier: Apache-2.0
// Paths of cgroups by id, in memory taken at construction: a kill must not allocate to name its cgroup.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "oomtrace/abi.h"

namespace oomtrace::codec {

// When it is full, the oldest of the names that were asked for least goes: the kernel side tells a cgroup's name once,
// so the names of long-lived cgroups must outlast any number of short-lived ones.
class CgroupNames {
 public:
  static constexpr std::size_t kMaxPath = OOMTRACE_CGROUP_LEVELS * (OOMTRACE_CGROUP_NAME + 1) + 4;

  // `capacity`: cgroups; `arena_bytes`: of their paths.
  explicit CgroupNames(std::size_t capacity = 4096, std::size_t arena_bytes = std::size_t{1} << 20);

  // Takes the path of a record: "/" for the hierarchy's root, ".../leaf" where ancestors were cut off.
  // Its ancestors are learnt with it. Allocates nothing.
  void learn(const oomtrace_cgroup& record);

  // Empty where nobody told it. The view lives until the next learn().
  std::string_view path_of(std::uint64_t id) const;

  std::size_t size() const { return count_ - dead_; }
  std::uint64_t forgotten() const { return forgotten_; }  // names that had to go

 private:
  // In the order of their paths in the arena, which is a ring.
  struct Entry {
    std::uint64_t id = 0;  // 0: dead, its room is freed when it is the oldest
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
    mutable std::uint8_t asked = 0;  // how often, up to kMaxAsked, less the times it was spared for it
  };
  static constexpr std::uint32_t kFree = UINT32_MAX;
  static constexpr std::uint8_t kMaxAsked = 7;

  std::size_t slot_of(std::uint64_t id) const;
  void erase_slot(std::size_t slot);
  void put(std::uint64_t id, std::string_view path);
  bool place(std::uint64_t id, std::string_view path, std::uint8_t asked);
  void drop_oldest();
  std::string_view text(const Entry& entry) const { return std::string_view(arena_).substr(entry.offset, entry.size); }

  std::vector<Entry> entries_;        // a ring: count_ entries from oldest_
  std::vector<std::uint32_t> slots_;  // open addressing by id: index into entries_; a power of two, at most half full
  std::string arena_;
  std::size_t oldest_ = 0;
  std::size_t count_ = 0;
  std::size_t dead_ = 0;
  std::size_t head_ = 0;  // next free byte of the arena
  std::uint64_t forgotten_ = 0;
};

}  // namespace oomtrace::codec
