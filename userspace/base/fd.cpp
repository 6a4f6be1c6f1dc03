// SPDX-License-Identifier: Apache-2.0
// Opening and closing of file descriptors.
#include "base/fd.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/sys_error.h"

namespace oomtrace {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    raw_ = other.release();
  }
  return *this;
}

int Fd::release() { return std::exchange(raw_, kNone); }

void Fd::reset() {
  // Linux frees the number even when close(2) says EINTR: a second try could close somebody else's file.
  if (valid()) ::close(release());
}

namespace {

Result<Fd> open_at(int directory, const char* path, int flags, mode_t mode, Errc code) {
  int raw = -1;
  do {
    raw = ::openat(directory, path, flags | O_CLOEXEC, mode);
  } while (raw < 0 && errno == EINTR);
  if (raw < 0) return fail_errno(code, path, errno);
  return Fd(raw);
}

}  // namespace

Result<Fd> open_fd(const char* path, int flags, mode_t mode, Errc code) {
  return open_at(AT_FDCWD, path, flags, mode, code);
}

Result<Fd> open_fd_at(const Fd& directory, const char* path, int flags, mode_t mode, Errc code) {
  return open_at(directory.get(), path, flags, mode, code);
}

}  // namespace oomtrace
