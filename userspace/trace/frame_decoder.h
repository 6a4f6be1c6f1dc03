// SPDX-License-Identifier: Apache-2.0
// Measures and decodes one zstd frame of hostile bytes in bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace oomtrace::trace {

enum class FrameState {
  kWhole,
  kSkippable,    // whole, and holds nothing (zstd's skippable frames)
  kIncomplete,   // the input ends inside it
  kDamaged,      // no frame, or one that contradicts itself or its checksum
  kTooBig,       // inflates beyond kMaxFrameBytes or needs a window beyond kMaxWindowLog
  kLineTooLong,  // holds a line beyond kMaxLineBytes
};

struct FrameSize {
  FrameState state = FrameState::kDamaged;
  std::size_t bytes = 0;  // compressed, header and checksum included; for kWhole and kSkippable
};

// The four bytes that start a zstd frame.
inline constexpr std::string_view kFrameMagic{"\x28\xB5\x2F\xFD", 4};

enum class FrameMagic { kNone, kPartOfOne, kFrame, kSkippable };

// What the first four bytes say; kPartOfOne where fewer are there (none included) and they fit.
FrameMagic frame_magic(std::string_view input);

// Looks only at the frame's and its blocks' headers.
FrameSize measure_frame(std::string_view input);

// Raw bytes of frames, one behind the other: [begin, end) is what was not handed out yet.
class FrameDecoder {
 public:
  FrameDecoder();

  // Appends the content of a whole frame behind pending(), which must hold no newline any more. Unless kWhole comes
  // back, pending() is as before.
  // The content is only given out after zstd verified its checksum (frames without one are taken on trust).
  FrameState decode(std::string_view frame);

  std::string_view pending() const { return {raw_.data() + begin_, end_ - begin_}; }
  void consume(std::size_t count) { begin_ += count; }
  void clear() { begin_ = end_ = 0; }

  std::uint64_t decoded_bytes() const { return decoded_bytes_; }  // all, also of frames that failed

 private:
  struct FreeContext {
    void operator()(void* context) const;
  };

  void reserve(std::size_t total);

  std::unique_ptr<void, FreeContext> context_;  // ZSTD_DCtx
  std::vector<char> raw_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t decoded_bytes_ = 0;
};

}  // namespace oomtrace::trace
