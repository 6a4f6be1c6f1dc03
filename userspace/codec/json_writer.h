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

// Longest text in a line, in bytes of its escaped form; shorter where the line would not hold all its members.
inline constexpr std::size_t kMaxTextBytes = 4096;

// Writes the event's line without a newline into `out` and returns its length; allocates nothing. Texts are shortened
// until every member fits; lists lose their last items where even that is not enough. Such a line says
// "truncated":true. Errc::kOutput: `out` is smaller than kMinLineBytes.
inline constexpr std::size_t kMinLineBytes = 4096;
Result<std::size_t> encode_line(const Event& event, std::span<char> out);

}  // namespace oomtrace::codec
