// SPDX-License-Identifier: Apache-2.0
// Any bytes as a trace, as NDJSON and as what detection makes of them: bounded, repeatable, never a broken line.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "trace/detect.h"
#include "trace/limits.h"
#include "trace/ndjson_source.h"
#include "trace/ordered_lines.h"
#include "trace/reader.h"

namespace {

using namespace oomtrace::trace;

void check(bool holds) {
  if (!holds) std::abort();
}

struct Digest {
  std::size_t lines = 0;
  std::size_t hash = 0;
  std::size_t notes = 0;
  bool operator==(const Digest&) const = default;
};

Digest drain(LineSource& source) {
  Digest digest;
  for (;;) {
    const auto line = source.next_line();
    if (!line || !*line) break;
    check(!(*line)->empty() && (*line)->size() < kMaxLineBytes && (*line)->find('\n') == std::string_view::npos);
    ++digest.lines;
    digest.hash = digest.hash * 31 + std::hash<std::string_view>{}(**line);
  }
  digest.notes = source.notes().size();
  return digest;
}

void drain_twice(LineSource& source) {
  const Digest first = drain(source);
  check(source.rewind());
  check(drain(source) == first);
}

void drain_in_order(std::unique_ptr<LineSource> source) {
  auto lines = OrderedLines::open(std::move(source), std::uint64_t{64} << 20);
  if (!lines) return;
  std::string trace_id;
  std::uint64_t seq = 0;
  while (const auto line = lines->next()) {
    check(!(line->key < LineKey{trace_id, seq}));
    trace_id = line->key.trace_id;
    seq = line->key.seq;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Reader reader(std::make_unique<MemorySource>(bytes));
  drain_twice(reader);
  NdjsonSource ndjson(std::make_unique<MemorySource>(bytes));
  drain_twice(ndjson);
  auto detected = detect_input(std::make_unique<MemorySource>(bytes));
  check(detected.has_value());
  if (auto source = make_line_source(std::move(*detected))) drain_in_order(std::move(source));
  return 0;
}
