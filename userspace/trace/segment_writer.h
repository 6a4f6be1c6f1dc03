// SPDX-License-Identifier: Apache-2.0
// Writes a recording as a row of trace files.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "oomtrace/result.h"
#include "trace/segments.h"
#include "trace/writer.h"

namespace oomtrace::trace {

// A Writer that goes on in the next segment when it is told to. Not thread-safe but for bytes() and number().
// Whoever rolls gives a trace.start and a snapshot next: a segment is read alone.
class SegmentWriter {
 public:
  // Errors: those of Writer::create().
  static Result<std::unique_ptr<SegmentWriter>> create(const std::string& directory, const std::string& recording,
                                                       const WriterOptions& options);

  Result<void> append(std::string_view line);
  Result<void> close_frame();
  Result<void> sync() { return writer_->sync(); }

  // Ends the segment and begins the next one. Where that cannot be made the old one goes on. Allocates.
  Result<void> roll();

  // Of the present segment.
  const WriterStats& stats() const { return writer_->stats(); }
  int fd() const { return writer_->fd(); }

  // Any thread.
  std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }    // in the present segment's file
  std::uint32_t number() const { return number_.load(std::memory_order_relaxed); }  // of the present segment

 private:
  SegmentWriter(std::string directory, SegmentName name, const WriterOptions& options)
      : directory_(std::move(directory)), name_(std::move(name)), options_(options) {}
  Result<std::unique_ptr<Writer>> open(const SegmentName& name) const;

  const std::string directory_;
  SegmentName name_;
  const WriterOptions options_;
  std::unique_ptr<Writer> writer_;
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint32_t> number_{0};
};

}  // namespace oomtrace::trace
