// SPDX-License-Identifier: Apache-2.0
// Buffered lines to a descriptor whose reader may be slow, stopped or gone.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string_view>

#include "base/fd.h"
#include "oomtrace/result.h"

namespace oomtrace::sink {

// Gathers lines in a fixed buffer and writes whole buffers. After construction nothing allocates, errors included.
// All calls by one thread but for cancel().
class FdWriter {
 public:
  explicit FdWriter(Fd fd = Fd());

  bool open() const { return fd_.valid(); }
  const Fd& fd() const { return fd_; }

  // Goes on with another descriptor and returns the old one. What the old one did not take is written to the new one,
  // from the beginning of the line that was being written: a reader never gets the rest of a line alone.
  Fd use(Fd fd);

  // Takes one line. EMSGSIZE: longer than the buffer; any error of drain(): the buffer was full.
  Result<void> add(std::string_view line);

  // Writes what was taken. What a failed call leaves is written by the next one. Errors: Errc::kOutput with errno;
  // ECANCELED after cancel(), EPIPE where there is no descriptor.
  Result<void> drain();

  // fdatasync(2), where the descriptor is a file.
  Result<void> sync();

  // The descriptor's reader is gone (EPIPE, ECONNRESET).
  bool ended() const { return ended_; }

  // Any thread: waiting for the reader gives up, now and later.
  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }

 private:
  Result<void> wait_writable();

  Fd fd_;
  bool socket_ = false;
  bool paced_ = true;  // a pipe, terminal or socket, whose reader may be slow
  std::unique_ptr<char[]> buffer_;
  std::size_t begin_ = 0;  // of what is not written yet
  std::size_t end_ = 0;
  bool ended_ = false;
  std::atomic<bool> cancelled_{false};
};

}  // namespace oomtrace::sink
