// SPDX-License-Identifier: Apache-2.0
// open(2) takes the lowest number that is free.
#include "cli/standard_descriptors.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace oomtrace::cli {

bool hold_standard_descriptors() noexcept {
  // Data for standard output must not vanish without an error.
  constexpr int kModes[] = {O_RDONLY, O_RDONLY, O_WRONLY};
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    if (open("/dev/null", kModes[fd]) != fd) return false;
  }
  return true;
}

}  // namespace oomtrace::cli
