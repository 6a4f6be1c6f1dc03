// SPDX-License-Identifier: Apache-2.0
// trace.lost for one reader or file: it was not given what others were.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "oomtrace/event.h"

namespace oomtrace::sink {

// What a reader gets instead of `count` events: trace.lost with the time and the seq of the last of them. It has no seq
// of its own, since the others, the trace file among them, miss nothing; whoever merges this stream with a whole one
// takes the event itself, which sorts before this line.
Event loss_in_place_of(const Event& last, std::uint64_t count, std::string_view detail) noexcept;

// Who did not take lines, and why: source and detail of a trace.lost.
struct LossText {
  std::string_view source;
  std::string_view detail;
};

// For whoever has lines only, as encode_line() writes them. Nothing allocates: a trace file is told between kills.
class RefusedLines {
 public:
  void note(std::string_view line) noexcept;
  std::uint64_t count() const { return count_; }
  void clear() { count_ = 0; }

  // loss_in_place_of() the last of them, as a line; nullopt where nothing was refused, or nothing that is an event.
  // Lives until the next call.
  std::optional<std::string_view> line(const LossText& text) noexcept;

 private:
  // Times, ids, kind and host stand first and are of bounded size.
  static constexpr std::size_t kHeadBytes = 1024;

  std::uint64_t count_ = 0;
  std::size_t size_ = 0;
  std::array<char, kHeadBytes> last_{};
  std::array<char, 2 * kHeadBytes> line_{};
};

}  // namespace oomtrace::sink
