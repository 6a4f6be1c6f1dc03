// SPDX-License-Identifier: Apache-2.0
// Lines as NDJSON to a descriptor: standard output, a pipe, a file, a connected socket.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string_view>

#include "base/fd.h"
#include "oomtrace/result.h"
#include "sink/line_sink.h"

namespace oomtrace::sink {

// Gathers lines in a fixed buffer and writes whole buffers. A slow reader makes it wait; what the program goes on to
// observe meanwhile waits in the queue, and is dropped and counted there. So it should not share a writer thread with a
// sink that must not wait. A reader that is gone (EPIPE, ECONNRESET) ends the sink; the program ignores SIGPIPE.
class StdoutSink final : public LineSink {
 public:
  explicit StdoutSink(Fd fd);  // dup(2) of standard output, for one

  Result<void> write(std::string_view line) override;
  Result<void> flush(bool durable) override;
  bool ended() const override { return ended_; }
  void cancel() noexcept override { cancelled_.store(true, std::memory_order_relaxed); }

 private:
  Result<void> drain(std::string_view& bytes);
  Result<void> wait_writable();

  Fd fd_;
  bool socket_;
  bool paced_;  // a pipe, terminal or socket, whose reader may be slow
  std::unique_ptr<char[]> buffer_;
  std::size_t begin_ = 0;  // of what is not written yet
  std::size_t end_ = 0;
  bool ended_ = false;
  std::atomic<bool> cancelled_{false};
};

}  // namespace oomtrace::sink
