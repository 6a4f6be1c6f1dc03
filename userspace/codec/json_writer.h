// SPDX-License-Identifier: Apache-2.0
// Event -> one JSON line.
#pragma once

#include <cstddef>
#include <span>

#include "oomtrace/event.h"
#include "oomtrace/result.h"

namespace oomtrace::codec {

// No line is longer, newline excluded; documented in docs/events.md.
inline constexpr std::size_t kMaxLineBytes = 16384;

// A text is cut to so many bytes of its escaped form.
inline constexpr std::size_t kMaxTextBytes = 4096;

// Writes the event's line without a newline into `out` and returns its length; allocates nothing. What does not fit is
// left out field by field and the line says "truncated": true. Errc::kOutput: `out` is too small for any line.
Result<std::size_t> encode_line(const Event& event, std::span<char> out);

}  // namespace oomtrace::codec
