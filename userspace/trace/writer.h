// SPDX-License-Identifier: Apache-2.0
// Writes a trace file: event lines in independent, checksummed zstd frames.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "oomtrace/result.h"
#include "trace/frame_encoder.h"
#include "trace/new_file.h"

namespace oomtrace::trace {

// On process.memory lines level 1 packs best of 1 to 5 (15 : 1) at the highest speed and with the smallest context
// (0.6 MiB).
inline constexpr int kDefaultLevel = 1;

struct WriterOptions {
  bool force = false;          // replace an existing file, see create_new_file()
  std::optional<Owner> owner;  // nullopt: whoever runs this
  int level = kDefaultLevel;
  int directory = -1;  // as NewFileOptions has it
};

struct WriterStats {
  std::uint64_t lines = 0;      // in whole frames on file
  std::uint64_t raw_bytes = 0;  // of those lines, newlines included
  std::uint64_t frames = 0;     // whole frames on file
  std::uint64_t bytes = 0;      // of those frames
  std::uint64_t failed_writes = 0;
};

// Not thread-safe. After create() nothing allocates, errors included, and a failed write leaves a file that reads up
// to its last whole frame: the lines stay in the buffer, and the next close_frame() writes them at the same place.
//
// A write beyond RLIMIT_FSIZE raises SIGXFSZ: a program that ignores it gets EFBIG from here instead.
class Writer {
 public:
  // Errors: those of create_new_file(), and Errc::kUsage for a level that is not allowed.
  static Result<std::unique_ptr<Writer>> create(const std::string& path, const WriterOptions& options = {});

  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer();  // tries to close the open frame

  // Takes one line, with or without its newline, into the open frame; closes it first where the line has no room.
  // On an error (Errc::kOutput, errno) the line was not taken. EINVAL: a newline inside the line, or an empty one;
  // EMSGSIZE: longer than kMaxLineBytes.
  Result<void> append(std::string_view line);

  // Writes the open frame to the file; nothing to do where it is empty.
  Result<void> close_frame();

  // Waits until what was written is on the disk (fdatasync). Does not close the frame.
  Result<void> sync();

  std::size_t pending_bytes() const { return used_; }  // raw, not in the file yet
  const WriterStats& stats() const { return stats_; }
  int fd() const { return fd_.get(); }  // frames are written at stats().bytes, wherever the file ends

 private:
  Writer(Fd fd, FrameEncoder encoder);
  Result<void> put(std::string_view frame);
  void cut_partial_frame();

  Fd fd_;
  FrameEncoder encoder_;
  std::unique_ptr<char[]> raw_;  // kFrameBytes
  std::size_t used_ = 0;
  std::uint64_t pending_lines_ = 0;
  bool partial_ = false;  // the file may hold bytes beyond stats_.bytes
  WriterStats stats_;
};

}  // namespace oomtrace::trace
