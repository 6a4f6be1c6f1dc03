// SPDX-License-Identifier: Apache-2.0
// Making trace.lost out of the last event that it stands for.
#include "sink/loss.h"

#include <algorithm>

namespace oomtrace::sink {

Event loss_in_place_of(const Event& last, std::uint64_t count, std::string_view detail) noexcept {
  TraceLost lost;
  lost.source = "stream";
  lost.count = count;
  lost.detail = detail;
  Event event;
  event.boot_ns = last.boot_ns;
  event.seq = last.seq;
  event.wall_ns = last.wall_ns;
  event.trace_id = last.trace_id;
  event.boot_id = last.boot_id;
  event.host_name = last.host_name;
  event.host_id = last.host_id;
  event.payload = lost;
  return event;
}

RefusedLines::RefusedLines() = default;

void RefusedLines::note(std::string_view line) noexcept {
  ++count_;
  size_ = std::min(line.size(), last_.size());
  std::copy_n(line.begin(), size_, last_.begin());
}

std::optional<std::string_view> RefusedLines::line(std::string_view detail) {
  if (count_ == 0) return std::nullopt;
  const auto last = decoder_.decode({last_.data(), size_});
  if (!last || !*last) return std::nullopt;
  const auto size = codec::encode_line(loss_in_place_of(**last, count_, detail), line_);
  if (!size) return std::nullopt;
  return std::string_view(line_.data(), *size);
}

}  // namespace oomtrace::sink
