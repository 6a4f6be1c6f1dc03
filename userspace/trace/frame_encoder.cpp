// SPDX-License-Identifier: Apache-2.0
// The static zstd context and its buffers.
#include "trace/frame_encoder.h"

// ZSTD_initStaticCCtx and the size estimates belong to zstd's "static linking only" part; libzstd 1.5 exports them.
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include "trace/limits.h"

namespace oomtrace::trace {
namespace {

constexpr int kMinLevel = 1;
constexpr int kMaxLevel = 9;

ZSTD_CCtx* as_context(void* context) { return static_cast<ZSTD_CCtx*>(context); }

}  // namespace

void touch(std::byte* memory, std::size_t size) {
  constexpr std::size_t kStep = 4096;  // no page is smaller
  volatile std::byte* const bytes = memory;
  for (std::size_t i = 0; i < size; i += kStep) bytes[i] = std::byte{0};
  if (size > 0) bytes[size - 1] = std::byte{0};
}

Result<FrameEncoder> FrameEncoder::create(int level) {
  if (level < kMinLevel || level > kMaxLevel) {
    return fail(Errc::kUsage, "compression level " + std::to_string(level), 0, "levels 1 to 9 are allowed");
  }
  FrameEncoder encoder;
  const std::size_t workspace_size = ZSTD_estimateCCtxSize(level);
  // Storage from new is aligned for every fundamental type, which is all that zstd asks for (8 bytes).
  encoder.workspace_ = std::make_unique<std::byte[]>(workspace_size);
  touch(encoder.workspace_.get(), workspace_size);
  encoder.output_size_ = ZSTD_compressBound(kFrameBytes);
  encoder.output_ = std::make_unique<char[]>(encoder.output_size_);
  touch(reinterpret_cast<std::byte*>(encoder.output_.get()), encoder.output_size_);

  ZSTD_CCtx* const context = ZSTD_initStaticCCtx(encoder.workspace_.get(), workspace_size);
  if (context == nullptr) return fail(Errc::kOutput, "zstd: the workspace does not hold a context");
  encoder.context_ = context;
  const std::size_t results[] = {ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level),
                                 ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)};
  for (const std::size_t result : results) {
    if (ZSTD_isError(result)) return fail(Errc::kOutput, std::string("zstd: ") + ZSTD_getErrorName(result));
  }
  return encoder;
}

Result<std::string_view> FrameEncoder::encode(std::string_view raw) {
  const std::size_t result = ZSTD_compress2(as_context(context_), output_.get(), output_size_, raw.data(), raw.size());
  // Short text only: an Error must not allocate here.
  if (ZSTD_isError(result)) return fail(Errc::kOutput, "zstd");
  return std::string_view(output_.get(), result);
}

}  // namespace oomtrace::trace
