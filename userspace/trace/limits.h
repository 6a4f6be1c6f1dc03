// SPDX-License-Identifier: Apache-2.0
// The sizes that bound a trace file and its reading.
#pragma once

#include <cstddef>
#include <cstdint>

namespace oomtrace::trace {

// Raw bytes of one frame as the writer makes it: small enough that compressing it takes a few milliseconds and that a
// damaged frame costs little, large enough that the ratio does not suffer.
inline constexpr std::size_t kFrameBytes = std::size_t{1} << 20;

// Longest line, newline included, that a writer takes and a reader hands out. An encoded event is far shorter.
inline constexpr std::size_t kMaxLineBytes = kFrameBytes;

// Raw bytes of a frame that somebody else may have made (`zstd stream.ndjson`); beyond it the input is refused, so that
// a frame which inflates without end costs bounded memory.
inline constexpr std::size_t kMaxFrameBytes = std::size_t{64} << 20;

// Largest window that the decompressor may have to keep: what the zstd tool needs up to level 19.
inline constexpr int kMaxWindowLog = 23;

// Bytes that were made to take time: recordings and logs inflate to 10 to 50 times of their size, those of one byte
// to 1,000 times as gzip and 32,000 times as zstd.
constexpr bool is_bomb(std::uint64_t packed, std::uint64_t inflated) {
  constexpr std::uint64_t kUnsuspected = std::uint64_t{256} << 20;
  constexpr std::uint64_t kMaxRatio = 200;
  return inflated > kUnsuspected && inflated / kMaxRatio > packed;
}
inline constexpr const char* kBombText = "inflates to more than 200 times of its size: not a recording or a log";

// Work that a damaged input may cause (bytes looked at in vain) before the rest of it is given up.
inline constexpr std::uint64_t kMaxWastedBytes = std::uint64_t{1} << 30;

}  // namespace oomtrace::trace
