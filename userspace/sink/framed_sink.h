// SPDX-License-Identifier: Apache-2.0
// A trace file, or a row of them, as a sink.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "oomtrace/result.h"
#include "sink/file_reserve.h"
#include "sink/line_sink.h"

namespace oomtrace::sink {

// `Writer` is trace::Writer or anything with its append(), close_frame(), sync(), fd() and stats(),
// trace::SegmentWriter with roll(), too; a template, since sinks do not depend on the trace format.
//
// The file has a reserve. Once the disk has no more than that, only lines of kills are taken.
template <class Writer>
class FramedSink final : public LineSink {
 public:
  explicit FramedSink(std::unique_ptr<Writer> writer) : writer_(std::move(writer)) { hold(); }
  FramedSink(const FramedSink&) = delete;
  FramedSink& operator=(const FramedSink&) = delete;
  ~FramedSink() override {
    static_cast<void>(writer_->close_frame());
    release();
  }

  bool takes(LineClass line_class) const override { return line_class != LineClass::kNormal || !reserve_.is_short(); }

  Result<void> write(std::string_view line) override {
    auto written = writer_->append(line);
    // Many lines in a second fill frames, which must not use up the reserve before the next flush.
    if (written && writer_->stats().frames != frames_) hold();
    return written;
  }

  Result<void> flush(bool durable) override {
    if (auto closed = writer_->close_frame(); !closed) {
      reserve_.forget();  // what was written of the frame was cut off again
      return closed;
    }
    auto synced = durable ? writer_->sync() : Result<void>();
    hold();  // after the sync, which a kill waits for
    return synced;
  }

  Result<void> roll() override {
    if constexpr (requires { writer_->roll(); }) {
      if (auto flushed = flush(true); !flushed) return flushed;
      release();
      auto rolled = writer_->roll();
      reserve_.forget();
      hold();
      return rolled;
    } else {
      return {};
    }
  }

  const Writer& writer() const { return *writer_; }
  // An errno where the file has no reserve because its file system gives none; 0 where it has.
  int no_reserve() const { return reserve_.unsupported(); }

 private:
  void hold() {
    frames_ = writer_->stats().frames;
    reserve_.hold(writer_->fd(), writer_->stats().bytes);
  }
  void release() { reserve_.release(writer_->fd(), writer_->stats().bytes); }

  std::unique_ptr<Writer> writer_;
  FileReserve reserve_;
  std::uint64_t frames_ = 0;  // when the reserve was last looked at
};

}  // namespace oomtrace::sink
