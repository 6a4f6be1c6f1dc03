// SPDX-License-Identifier: Apache-2.0
// Reading bytes with EINTR handled, and going back where the input allows it.
#include "trace/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/sys_error.h"

namespace oomtrace::trace {

FdSource::FdSource(Fd fd) : fd_(std::move(fd)), start_(-1) {
  // lseek succeeds on some devices that cannot go back (terminals), so only regular files and block devices count.
  struct stat status {};
  if (::fstat(fd_.get(), &status) == 0 && (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode))) {
    start_ = ::lseek(fd_.get(), 0, SEEK_CUR);
  }
}

Result<std::unique_ptr<FdSource>> FdSource::open(const std::string& path) {
  auto opened = open_fd(path.c_str(), O_RDONLY | O_NOCTTY);
  if (!opened) return tl::make_unexpected(std::move(opened).error());
  Fd fd = std::move(*opened);
  struct stat status {};
  if (::fstat(fd.get(), &status) == 0 && S_ISDIR(status.st_mode)) {
    return fail_errno(Errc::kInput, path, EISDIR);
  }
  return std::make_unique<FdSource>(std::move(fd));
}

Result<std::size_t> FdSource::read(std::span<char> into) {
  for (;;) {
    const ssize_t got = ::read(fd_.get(), into.data(), into.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return fail_errno(Errc::kInput, "read", errno);
  }
}

bool FdSource::rewind() { return start_ >= 0 && ::lseek(fd_.get(), start_, SEEK_SET) == start_; }

Result<std::size_t> MemorySource::read(std::span<char> into) {
  const std::size_t count = std::min(into.size(), bytes_.size() - position_);
  if (count > 0) std::memcpy(into.data(), bytes_.data() + position_, count);
  position_ += count;
  return count;
}

bool MemorySource::rewind() {
  position_ = 0;
  return true;
}

PrefixedSource::PrefixedSource(std::string prefix, std::unique_ptr<ByteSource> rest)
    : prefix_(std::move(prefix)), rest_(std::move(rest)) {}

Result<std::size_t> PrefixedSource::read(std::span<char> into) {
  if (position_ == prefix_.size()) return rest_->read(into);
  const std::size_t count = std::min(into.size(), prefix_.size() - position_);
  std::memcpy(into.data(), prefix_.data() + position_, count);
  position_ += count;
  return count;
}

bool PrefixedSource::rewind() {
  // The prefix came out of `rest_`, so where that can go back, the prefix is read again from there.
  if (!rest_->rewind()) return false;
  prefix_.clear();
  position_ = 0;
  return true;
}

}  // namespace oomtrace::trace
