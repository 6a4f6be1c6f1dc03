// SPDX-License-Identifier: Apache-2.0
// Tells by its first bytes what an input is.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "oomtrace/result.h"
#include "trace/byte_source.h"
#include "trace/line_source.h"

namespace oomtrace::trace {

enum class InputFormat {
  kEmpty,   // nothing, or blanks only
  kTrace,   // starts with a zstd frame
  kNdjson,  // event lines of ours
  kOther,   // anything else: perhaps a kernel log, whose JSON forms (journalctl -o json, dmesg --json) are no events
};

inline constexpr std::size_t kDetectBytes = std::size_t{64} << 10;

// `head` is the start of the input, kDetectBytes of it where there are so many. Pipelines put lines of their own in
// front: one event line among the first few is enough.
InputFormat detect_format(std::string_view head);

struct DetectedInput {
  InputFormat format = InputFormat::kEmpty;
  std::unique_ptr<ByteSource> bytes;  // from the first byte on
};

Result<DetectedInput> detect_input(std::unique_ptr<ByteSource> source);

// The reader for kTrace or kNdjson; nullptr for the others.
std::unique_ptr<LineSource> make_line_source(DetectedInput input);

}  // namespace oomtrace::trace
