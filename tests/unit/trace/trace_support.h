// SPDX-License-Identifier: Apache-2.0
// Lines, traces made of them, and reading everything a source has.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "trace/line_source.h"

namespace oomtrace::test {

inline constexpr const char* kTraceId = "0123456789abcdef0123456789abcdef";

// A process.memory line with numbers that move as a growing process's do; as codec writes it.
std::string memory_line(std::uint64_t seq, std::string_view trace_id = kTraceId);
std::vector<std::string> memory_lines(std::uint64_t first_seq, std::size_t count);

// The bytes of a trace whose frames hold the given lines, made by trace::Writer.
std::string make_trace(const std::vector<std::vector<std::string>>& frames);

// One zstd frame with a checksum, made by libzstd directly.
std::string make_frame(std::string_view raw);

struct ReadBack {
  std::vector<std::string> lines;
  std::vector<std::string> notes;
  std::string error;  // empty: the end was reached
  bool operator==(const ReadBack&) const = default;
};
ReadBack read_all(trace::LineSource& source);
ReadBack read_trace(std::string_view bytes);
ReadBack read_ndjson(std::string_view bytes);

}  // namespace oomtrace::test
