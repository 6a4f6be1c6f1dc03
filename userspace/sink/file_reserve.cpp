// SPDX-License-Identifier: Apache-2.0
// fallocate(2) behind the end, and ftruncate(2) to the end.
#include "sink/file_reserve.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace oomtrace::sink {
namespace {

// Taken beyond the reserve, so that a file does not consist of single blocks; little, so that a full disk is noticed
// soon.
constexpr std::uint64_t kStep = std::uint64_t{16} << 10;

}  // namespace

void FileReserve::hold(int fd, std::uint64_t end) noexcept {
  if (unsupported_ != 0) return;
  held_end_ = std::max(held_end_, end);
  if (held_end_ - end >= kBytes) {
    short_ = false;
    return;
  }
  // Only what is missing: tmpfs, where it has not all of it, takes back what was asked for, also what it had given
  // before (shmem_fallocate).
  const std::uint64_t wanted_end = end + kBytes + kStep;
  int error = 0;
  do {
    error = ::fallocate(fd, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(held_end_),
                        static_cast<off_t>(wanted_end - held_end_)) == 0
                ? 0
                : errno;
  } while (error == EINTR);
  short_ = error == ENOSPC || error == EDQUOT;
  if (error == 0)
    held_end_ = wanted_end;
  else if (!short_)
    unsupported_ = error;
}

// Cutting a file to the size it has frees what is behind it (ext4_setattr, xfs_setattr_size, shmem_setattr).
void FileReserve::release(int fd, std::uint64_t end) noexcept {
  if (held_end_ <= end) return;
  while (::ftruncate(fd, static_cast<off_t>(end)) != 0 && errno == EINTR) {
  }
  held_end_ = end;
}

}  // namespace oomtrace::sink
