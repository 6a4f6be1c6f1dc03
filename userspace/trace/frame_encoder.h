// SPDX-License-Identifier: Apache-2.0
// Compresses one frame at a time in memory that was taken and touched beforehand.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "oomtrace/result.h"

namespace oomtrace::trace {

// zstd with a static context: encode() allocates nothing and takes no page fault on fresh memory, so it works on a
// machine that has none left.
class FrameEncoder {
 public:
  // `level` is zstd's, 1 to 9 (above, the context alone would take tens of MiB).
  static Result<FrameEncoder> create(int level);

  // One whole zstd frame with content size and content checksum; the view lives until the next call.
  // `raw` is at most kFrameBytes long. Errors: Errc::kOutput (a misuse of zstd, not the input).
  Result<std::string_view> encode(std::string_view raw);

 private:
  FrameEncoder() = default;

  std::unique_ptr<std::byte[]> workspace_;  // holds the context; zstd frees nothing of it
  void* context_ = nullptr;                 // ZSTD_CCtx
  std::unique_ptr<char[]> output_;
  std::size_t output_size_ = 0;
};

// Writes to every page, so that none is missing when memory is.
void touch(std::byte* memory, std::size_t size);

}  // namespace oomtrace::trace
