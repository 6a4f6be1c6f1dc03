// SPDX-License-Identifier: Apache-2.0
// Fd: the owner of a file descriptor, and the two ways to get one.
#pragma once

#include <fcntl.h>
#include <sys/types.h>

#include "oomtrace/result.h"

namespace oomtrace {

// Closes what it holds. Move-only; moving onto itself changes nothing.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int raw) : raw_(raw < 0 ? kNone : raw) {}
  Fd(Fd&& other) noexcept : raw_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  bool valid() const { return raw_ != kNone; }
  explicit operator bool() const { return valid(); }
  int get() const { return raw_; }  // -1 when nothing is held

  // Hands the descriptor over to the caller.
  [[nodiscard]] int release();
  // Closes now; an error of close(2) is not reported: whoever needs it calls fsync(2) before.
  void reset();

 private:
  static constexpr int kNone = -1;
  int raw_ = kNone;
};

// open(2) with O_CLOEXEC added, repeated on EINTR. EACCES and EPERM become Errc::kPermission, all else `code`.
Result<Fd> open_fd(const char* path, int flags, mode_t mode = 0, Errc code = Errc::kInput);
Result<Fd> open_fd_at(const Fd& directory, const char* path, int flags, mode_t mode = 0, Errc code = Errc::kInput);

}  // namespace oomtrace
