// SPDX-License-Identifier: Apache-2.0
// Reads the lines of a trace file, whatever happened to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oomtrace/result.h"
#include "trace/byte_source.h"
#include "trace/frame_decoder.h"
#include "trace/input_buffer.h"
#include "trace/line_source.h"
#include "trace/notes.h"

namespace oomtrace::trace {

// A frame is decoded whole and verified before its first line is handed out. A frame that is cut, damaged or inflates
// without end is left out with a note, and reading goes on at the next frame that verifies. Memory is bounded by
// kMaxFrameBytes, once compressed and once raw; for files of our writer it stays at a few MiB.
//
// Errors (Errc::kInput): the input is empty; it does not start as a zstd frame; not a single frame could be read and
// it is not simply cut inside the first; it is a bomb (limits.h); read(2) failed.
class Reader final : public LineSource {
 public:
  explicit Reader(std::unique_ptr<ByteSource> source);
  static Result<std::unique_ptr<Reader>> open(const std::string& path);

  Result<std::optional<std::string_view>> next_line() override;
  bool rewind() override;
  const std::vector<std::string>& notes() const override { return notes_.list(); }
  std::uint64_t bytes_read() const override { return input_.offset(); }

  std::uint64_t frames() const { return frames_; }          // read so far
  std::uint64_t lost_bytes() const { return lost_bytes_; }  // of the file, compressed, left out so far

 private:
  // Bytes between the last good frame and the next one, and what was wrong with the first of them.
  struct Gap {
    FrameState reason = FrameState::kDamaged;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    bool zeros = true;
  };

  Result<bool> load_frame();
  Result<FrameSize> measure();
  Result<void> check_start();
  Result<void> skip_to_magic(FrameState reason);
  void widen_gap(std::size_t bytes);
  void drop_unfinished_line();
  void close_gap();
  Result<void> close_last_gap();
  std::optional<std::string_view> last_line();

  InputBuffer input_;
  FrameDecoder decoder_;
  Notes notes_;
  std::optional<Gap> gap_;
  std::optional<Error> failed_;
  std::uint64_t frames_ = 0;
  std::uint64_t lost_bytes_ = 0;
  std::uint64_t wasted_bytes_ = 0;
  std::uint64_t inflated_bytes_ = 0;
  bool started_ = false;
  bool ended_ = false;
};

}  // namespace oomtrace::trace
