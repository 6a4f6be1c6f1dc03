// SPDX-License-Identifier: Apache-2.0
// A program without a heap for a while, in all threads and the C libraries too.
#pragma once

#include <cstdint>

namespace oomtrace::test {

// malloc, calloc, realloc and their kin since the program started. Link tests/support/allocation_counter.cpp.
std::uint64_t allocations();

// While it lives, each of them fails with ENOMEM, unless a sanitizer stands in for malloc: then they are only counted.
// Not to be nested.
class NoHeap {
 public:
  // `concerns`: whether the thread that calls it is meant; null: all are. It must not allocate.
  explicit NoHeap(bool (*concerns)() = nullptr);
  ~NoHeap() { end(); }
  NoHeap(const NoHeap&) = delete;
  NoHeap& operator=(const NoHeap&) = delete;

  // Gives the heap back; returns how many allocations were asked for without it.
  std::uint64_t end();
};

}  // namespace oomtrace::test
