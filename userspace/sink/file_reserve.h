// SPDX-License-Identifier: Apache-2.0
// Room behind the end of a file that is the file's already, for what comes when the disk is full.
#pragma once

#include <cstdint>

namespace oomtrace::sink {

// Blocks that are allocated behind the end (fallocate(2), FALLOC_FL_KEEP_SIZE): writes there need no room on the disk,
// and no reader sees them. Nothing allocates memory. Not thread-safe.
class FileReserve {
 public:
  // A trace packs ten to fifteen lines into the bytes of one: kills with some thousands of candidates.
  static constexpr std::uint64_t kBytes = std::uint64_t{256} << 10;

  // Sees to it that the room behind `end` is there, and takes more where it was used and the disk has some.
  void hold(int fd, std::uint64_t end) noexcept;

  // After hold(): the disk has no room beyond what the reserve has left.
  bool is_short() const { return short_; }
  // After hold(): this file system knows no such room, or will not give it: an errno; 0 = it does.
  int unsupported() const { return unsupported_; }

  // Somebody cut the file, the reserve with it.
  void forget() noexcept { held_end_ = 0; }

  // Gives back what is behind `end`.
  void release(int fd, std::uint64_t end) noexcept;

 private:
  std::uint64_t held_end_ = 0;  // the file has blocks up to here
  bool short_ = false;
  int unsupported_ = 0;
};

}  // namespace oomtrace::sink
