// SPDX-License-Identifier: Apache-2.0
// Lines as NDJSON to a listening Unix socket; connects again when the reader was restarted.
#pragma once

#include <sys/types.h>
#include <sys/un.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sink/fd_writer.h"
#include "sink/line_sink.h"

namespace oomtrace::sink {

// A stream socket. While nobody listens, lines are refused, and each flush() tries to connect anew: the writer thread
// calls it once a second. The line that a lost connection cut is sent again as a whole.
class SocketSink final : public LineSink {
 public:
  // Connects; where nobody listens that is an error if `must_connect`, else left to flush().
  // Where anybody may make sockets (/tmp), only to a listener of root, of whoever runs this, or of `user`: EPERM.
  // Errors: Errc::kOutput or kPermission with errno; Errc::kUsage: the path is longer than sockaddr_un's 107 bytes.
  static Result<std::unique_ptr<SocketSink>> open(const std::string& path, bool must_connect,
                                                  std::optional<uid_t> user = std::nullopt);

  Result<void> write(std::string_view line) override;
  Result<void> flush(bool durable) override;
  void cancel() noexcept override { out_.cancel(); }

 private:
  SocketSink() = default;
  int connect();  // errno, or 0

  sockaddr_un address_{};
  std::string directory_;
  std::optional<uid_t> user_;
  FdWriter out_;
};

}  // namespace oomtrace::sink
