// SPDX-License-Identifier: Apache-2.0
// Growing by doubling up to the bound, moving what is left to the front.
#include "trace/input_buffer.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

namespace oomtrace::trace {
namespace {

constexpr std::size_t kFirstSize = std::size_t{64} << 10;

}  // namespace

InputBuffer::InputBuffer(std::unique_ptr<ByteSource> source, std::size_t max_bytes)
    : source_(std::move(source)), max_bytes_(max_bytes), bytes_(std::min(kFirstSize, max_bytes)) {}

// Leaves at least half of the buffer free, so that moving costs no more than reading did.
void InputBuffer::make_room() {
  if (end_ < bytes_.size()) return;
  const std::size_t kept = end_ - begin_;
  if (begin_ > 0) {
    std::memmove(bytes_.data(), bytes_.data() + begin_, kept);
    begin_ = 0;
    end_ = kept;
  }
  if (kept > bytes_.size() / 2) bytes_.resize(std::min(max_bytes_, bytes_.size() * 2));
}

Result<void> InputBuffer::fill() {
  if (at_end_ || full()) return {};
  make_room();
  const std::size_t room = std::min(bytes_.size() - end_, max_bytes_ - (end_ - begin_));
  auto got = source_->read(std::span<char>(bytes_.data() + end_, room));
  if (!got) return tl::make_unexpected(std::move(got).error());
  end_ += *got;
  at_end_ = *got == 0;
  return {};
}

void InputBuffer::consume(std::size_t count) {
  begin_ += count;
  offset_ += count;
  if (begin_ == end_) begin_ = end_ = 0;
}

bool InputBuffer::rewind() {
  if (!source_->rewind()) return false;
  begin_ = end_ = 0;
  offset_ = 0;
  at_end_ = false;
  return true;
}

}  // namespace oomtrace::trace
