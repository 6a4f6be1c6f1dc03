// SPDX-License-Identifier: Apache-2.0
// poll(2) and write(2): fmt::print() throws where a pipe is broken or a disk full.
#include "cli/tell.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace oomtrace::cli {

void tell_text(std::string_view text) noexcept {
  constexpr int kPatienceMs = 1000;
  while (!text.empty()) {
    pollfd entry{STDERR_FILENO, POLLOUT, 0};
    const int ready = poll(&entry, 1, kPatienceMs);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return;
    const ssize_t wrote = write(STDERR_FILENO, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

}  // namespace oomtrace::cli
