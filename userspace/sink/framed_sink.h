// SPDX-License-Identifier: Apache-2.0
// A trace file, or a row of them, as a sink.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "oomtrace/result.h"
#include "sink/line_sink.h"

namespace oomtrace::sink {

// `Writer` is trace::Writer or anything with its append(), close_frame() and sync(), trace::SegmentWriter with roll(),
// too; a template, since sinks do not depend on the trace format.
template <class Writer>
class FramedSink final : public LineSink {
 public:
  explicit FramedSink(std::unique_ptr<Writer> writer) : writer_(std::move(writer)) {}

  Result<void> write(std::string_view line) override { return writer_->append(line); }

  Result<void> flush(bool durable) override {
    if (auto closed = writer_->close_frame(); !closed || !durable) return closed;
    return writer_->sync();
  }

  Result<void> roll() override {
    if constexpr (requires { writer_->roll(); })
      return writer_->roll();
    else
      return {};
  }

  const Writer& writer() const { return *writer_; }

 private:
  std::unique_ptr<Writer> writer_;
};

}  // namespace oomtrace::sink
