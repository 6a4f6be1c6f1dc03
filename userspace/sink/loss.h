// SPDX-License-Identifier: Apache-2.0
// trace.lost for one reader: it was not given what others were.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "codec/json_reader.h"
#include "codec/json_writer.h"
#include "oomtrace/event.h"

namespace oomtrace::sink {

// What a reader gets instead of `count` events: trace.lost with the time and the seq of the last of them. It has no seq
// of its own, since the others, the trace file among them, miss nothing; whoever merges this stream with a whole one
// takes the event itself, which sorts before this line.
Event loss_in_place_of(const Event& last, std::uint64_t count, std::string_view detail) noexcept;

// For whoever has lines only. note() copies into a fixed buffer; line() decodes and may allocate.
class RefusedLines {
 public:
  RefusedLines();

  void note(std::string_view line) noexcept;
  std::uint64_t count() const { return count_; }
  void clear() { count_ = 0; }

  // The trace.lost line; nullopt where nothing was refused, or nothing that is an event. Lives until the next call.
  std::optional<std::string_view> line(std::string_view detail);

 private:
  std::uint64_t count_ = 0;
  std::size_t size_ = 0;
  std::array<char, codec::kMaxLineBytes> last_{};
  std::array<char, codec::kMinLineBytes> line_{};
  codec::LineDecoder decoder_;
};

}  // namespace oomtrace::sink
