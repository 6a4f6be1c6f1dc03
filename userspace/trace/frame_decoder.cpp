// SPDX-License-Identifier: Apache-2.0
// zstd's streaming decompression with a limit on the window, on the output and on the lines in it.
#include "trace/frame_decoder.h"

#define ZSTD_STATIC_LINKING_ONLY  // ZSTD_getFrameHeader
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <optional>

#include "trace/limits.h"

namespace oomtrace::trace {
namespace {

// What a frame's header may make us reserve before anything of it was decoded.
constexpr std::uint64_t kTrustedContentBytes = 4 * std::uint64_t{kFrameBytes};
constexpr std::size_t kStepBytes = std::size_t{128} << 10;
// Content that is decoded in one call: a frame of our writer's and the line that made it full.
constexpr std::size_t kAtOnceBytes = 2 * kFrameBytes;

// Follows lines over pieces of them. False once one is longer than a reader hands out.
class LineLimit {
 public:
  explicit LineLimit(std::size_t unfinished) : length_(unfinished) {}

  bool accept(std::string_view piece) {
    while (length_ + piece.size() >= kMaxLineBytes) {
      const std::size_t newline = piece.find('\n');
      if (newline == std::string_view::npos || length_ + newline >= kMaxLineBytes) return false;
      piece.remove_prefix(newline + 1);
      length_ = 0;
    }
    const std::size_t newline = piece.rfind('\n');
    length_ = newline == std::string_view::npos ? length_ + piece.size() : piece.size() - newline - 1;
    return true;
  }

 private:
  std::size_t length_;  // of the line that goes on
};

ZSTD_DCtx* as_context(void* context) { return static_cast<ZSTD_DCtx*>(context); }

// Straight to where it is wanted, without the window and the copy that a stream takes. nullopt: the frame is larger,
// damaged, or wants a larger window than is allowed; the stream tells which.
std::optional<std::size_t> decode_at_once(ZSTD_DCtx* context, std::string_view frame, char* out, std::size_t room) {
  ZSTD_frameHeader header{};
  if (ZSTD_getFrameHeader(&header, frame.data(), frame.size()) != 0) return std::nullopt;
  if (header.windowSize > std::uint64_t{1} << kMaxWindowLog) return std::nullopt;
  const std::size_t size = ZSTD_decompressDCtx(context, out, room, frame.data(), frame.size());
  return ZSTD_isError(size) ? std::nullopt : std::optional(size);
}

FrameState state_of(std::size_t zstd_error) {
  switch (ZSTD_getErrorCode(zstd_error)) {
    case ZSTD_error_srcSize_wrong:
      return FrameState::kIncomplete;
    case ZSTD_error_frameParameter_windowTooLarge:
      return FrameState::kTooBig;
    default:
      return FrameState::kDamaged;
  }
}

}  // namespace

FrameMagic frame_magic(std::string_view input) {
  constexpr std::string_view kSkippableTail("\x2A\x4D\x18", 3);  // 0x184D2A50 to 0x184D2A5F, little endian
  const std::string_view head = input.substr(0, kFrameMagic.size());
  if (head == kFrameMagic) return FrameMagic::kFrame;
  if (kFrameMagic.substr(0, head.size()) == head) return FrameMagic::kPartOfOne;
  const bool skippable = head.size() == kFrameMagic.size() && (static_cast<unsigned char>(head[0]) & 0xF0U) == 0x50 &&
                         head.substr(1) == kSkippableTail;
  return skippable ? FrameMagic::kSkippable : FrameMagic::kNone;
}

FrameSize measure_frame(std::string_view input) {
  const FrameMagic magic = frame_magic(input);
  if (magic == FrameMagic::kNone) return {FrameState::kDamaged, 0};
  if (magic == FrameMagic::kPartOfOne) return {FrameState::kIncomplete, 0};
  const std::size_t size = ZSTD_findFrameCompressedSize(input.data(), input.size());
  if (ZSTD_isError(size)) return {state_of(size), 0};
  return {magic == FrameMagic::kFrame ? FrameState::kWhole : FrameState::kSkippable, size};
}

void FrameDecoder::FreeContext::operator()(void* context) const { ZSTD_freeDCtx(as_context(context)); }

FrameDecoder::FrameDecoder() : context_(ZSTD_createDCtx()) {
  if (context_ == nullptr) throw std::bad_alloc();
  ZSTD_DCtx_setParameter(as_context(context_.get()), ZSTD_d_windowLogMax, kMaxWindowLog);
}

void FrameDecoder::reserve(std::size_t total) {
  constexpr std::size_t kMost = kMaxFrameBytes + kMaxLineBytes + kStepBytes;
  if (total > raw_.size()) raw_.resize(std::max(total, std::min(raw_.size() * 2, kMost)));
}

FrameState FrameDecoder::decode(std::string_view frame) {
  if (begin_ > 0) {
    std::memmove(raw_.data(), raw_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }

  ZSTD_DCtx* const context = as_context(context_.get());
  ZSTD_DCtx_reset(context, ZSTD_reset_session_only);
  reserve(end_ + kAtOnceBytes);
  if (const auto size = decode_at_once(context, frame, raw_.data() + end_, kAtOnceBytes)) {
    decoded_bytes_ += *size;
    if (!LineLimit(end_).accept({raw_.data() + end_, *size})) return FrameState::kLineTooLong;
    end_ += *size;
    return FrameState::kWhole;
  }
  ZSTD_DCtx_reset(context, ZSTD_reset_session_only);
  ZSTD_inBuffer in{frame.data(), frame.size(), 0};
  std::size_t position = end_;    // of the next raw byte
  std::size_t step = kStepBytes;  // room to offer
  LineLimit lines(end_);          // what is pending has no newline any more
  // zstd decodes without a window of its own where there is room for the whole content.
  const unsigned long long content = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (content <= kTrustedContentBytes) step = std::max<std::size_t>(content, 1);

  for (;;) {
    reserve(position + step);
    ZSTD_outBuffer out{raw_.data(), position + step, position};
    const std::size_t result = ZSTD_decompressStream(context, &out, &in);
    if (ZSTD_isError(result))
      return state_of(result) == FrameState::kTooBig ? FrameState::kTooBig : FrameState::kDamaged;
    decoded_bytes_ += out.pos - position;
    const bool lines_fit = lines.accept({raw_.data() + position, out.pos - position});
    const bool stuck = out.pos == position && in.pos == in.size && result != 0;
    position = out.pos;
    if (position - end_ > kMaxFrameBytes) return FrameState::kTooBig;
    if (!lines_fit) return FrameState::kLineTooLong;
    if (result == 0) break;
    if (stuck) return FrameState::kDamaged;  // the headers promised a whole frame
    step = kStepBytes;
  }
  end_ = position;
  return FrameState::kWhole;
}

}  // namespace oomtrace::trace
