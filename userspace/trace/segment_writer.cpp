// SPDX-License-Identifier: Apache-2.0
// One Writer after the other.
#include "trace/segment_writer.h"

#include <utility>

namespace oomtrace::trace {

Result<std::unique_ptr<Writer>> SegmentWriter::open(const SegmentName& name) const {
  return Writer::create(directory_ + "/" + name.file_name(), options_);
}

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::create(const std::string& directory, const std::string& recording,
                                                             const WriterOptions& options) {
  std::unique_ptr<SegmentWriter> segments(new SegmentWriter(directory, {recording, 1, false}, options));
  auto writer = segments->open(segments->name_);
  if (!writer) return tl::make_unexpected(std::move(writer).error());
  segments->writer_ = *std::move(writer);
  segments->number_.store(segments->name_.number, std::memory_order_relaxed);
  return segments;
}

Result<void> SegmentWriter::append(std::string_view line) {
  auto appended = writer_->append(line);
  bytes_.store(writer_->stats().bytes, std::memory_order_relaxed);
  return appended;
}

Result<void> SegmentWriter::close_frame() {
  auto closed = writer_->close_frame();
  bytes_.store(writer_->stats().bytes, std::memory_order_relaxed);
  return closed;
}

Result<void> SegmentWriter::roll() {
  if (auto closed = close_frame(); !closed) return closed;
  if (auto synced = sync(); !synced) return synced;
  SegmentName next = name_;
  ++next.number;
  auto writer = open(next);
  if (!writer) return tl::make_unexpected(std::move(writer).error());
  writer_ = *std::move(writer);
  name_ = std::move(next);
  number_.store(name_.number, std::memory_order_relaxed);
  bytes_.store(0, std::memory_order_relaxed);
  return {};
}

}  // namespace oomtrace::trace
