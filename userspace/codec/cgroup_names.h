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

class CgroupNames {
 public:
  static constexpr std::size_t kMaxPath = OOMTRACE_CGROUP_LEVELS * OOMTRACE_CGROUP_NAME;

  // `capacity`: cgroups; `arena_bytes`: of their paths. When either is full all is forgotten and told anew.
  explicit CgroupNames(std::size_t capacity = 4096, std::size_t arena_bytes = std::size_t{1} << 20);

  // Takes the path of a record: "/" for the hierarchy's root, ".../leaf" where ancestors were cut off.
  // Its ancestors are learnt with it. Allocates nothing.
  void learn(const oomtrace_cgroup& record);

  // Empty where nobody told it. The view lives until the next learn().
  std::string_view path_of(std::uint64_t id) const;

  std::uint64_t forgotten() const { return forgotten_; }  // how often the table was full

 private:
  struct Slot {
    std::uint64_t id = 0;  // 0 = free
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
  };
  std::size_t find(std::uint64_t id) const;
  void put(std::uint64_t id, std::string_view path);

  std::vector<Slot> slots_;  // open addressing, a power of two, at most half full
  std::string arena_;
  std::size_t used_ = 0;
  std::size_t count_ = 0;
  std::size_t capacity_;
  std::uint64_t forgotten_ = 0;
};

}  // namespace oomtrace::codec
