// SPDX-License-Identifier: Apache-2.0
// Lines as NDJSON to a file that log tools rotate, or that rotates itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/users_directory.h"
#include "sink/fd_writer.h"
#include "sink/line_sink.h"

namespace oomtrace::sink {

using oomtrace::FileOwner;

struct FileSinkOptions {
  std::uint64_t rotate_bytes = 0;  // before a line would make the file larger, it becomes FILE.1; 0 = never
  unsigned keep = 5;               // FILE.1 to FILE.keep are kept, at least one
  std::optional<FileOwner> owner;  // of files that it makes; nullopt: whoever runs this
};

// Appends; a line that a crash cut in an existing file is closed first. Every later file begins with a copy of the last
// trace.start, so that it can be told what it is and read alone. After open() nothing allocates.
class FileSink final : public LineSink {
 public:
  // Makes the file, mode 0600, or goes on with a regular one that is there; never through a symbolic link, where
  // anybody may make files (/tmp) not with a stranger's, and for another user in open_users_directory().
  // Errors: Errc::kOutput or kPermission with errno.
  static Result<std::unique_ptr<FileSink>> open(const std::string& path, const FileSinkOptions& options = {});

  Result<void> write(std::string_view line) override;
  Result<void> flush(bool durable) override;
  void cancel() noexcept override { out_.cancel(); }
  // At the next line. Where the new file cannot be opened, the old one goes on and every flush() says so.
  void reopen() noexcept override { reopen_asked_.store(true, std::memory_order_relaxed); }

 private:
  FileSink(const std::string& path, Fd users_directory, const FileSinkOptions& options);

  Result<void> start_file();
  Result<void> open_again();
  Result<void> rotate();

  const FileSinkOptions options_;
  Fd users_directory_;              // of files for another user: what its name leads to later does not matter
  int at_;                          // it, or AT_FDCWD,
  std::string directory_;           // and the name that it has from there
  std::vector<std::string> names_;  // FILE, FILE.1, ...
  FdWriter out_;
  Fd previous_;             // the file before, until the next durable flush: a kill's lines may be in both
  std::uint64_t size_ = 0;  // of the file once all is written
  std::string trace_start_;
  std::atomic<bool> reopen_asked_{false};
};

}  // namespace oomtrace::sink
