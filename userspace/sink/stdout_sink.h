// SPDX-License-Identifier: Apache-2.0
// Lines as NDJSON to a descriptor: standard output, a pipe, a connected socket.
#pragma once

#include <string_view>
#include <utility>

#include "sink/fd_writer.h"
#include "sink/line_sink.h"

namespace oomtrace::sink {

// A slow reader makes it wait; what the program goes on to observe meanwhile waits in the queue, and is dropped and
// counted there. So it should not share a writer thread with a sink that must not wait. A reader that is gone (EPIPE,
// ECONNRESET) ends the sink; the program ignores SIGPIPE.
class StdoutSink final : public LineSink {
 public:
  explicit StdoutSink(Fd fd) : out_(std::move(fd)) {}  // dup(2) of standard output, for one

  Result<void> write(std::string_view line) override { return out_.add(line); }
  Result<void> flush(bool durable) override {
    auto drained = out_.drain();
    return drained && durable ? out_.sync() : drained;
  }
  bool ended() const override { return out_.ended(); }
  void cancel() noexcept override { out_.cancel(); }

 private:
  FdWriter out_;
};

}  // namespace oomtrace::sink
