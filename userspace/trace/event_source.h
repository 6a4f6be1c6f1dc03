// SPDX-License-Identifier: Apache-2.0
// Decoded events of one or more inputs, in order, each once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/json_reader.h"
#include "oomtrace/event.h"
#include "oomtrace/result.h"
#include "trace/line_source.h"
#include "trace/ordered_lines.h"

namespace oomtrace::trace {

struct EventInput {
  std::string name;  // for notes
  std::unique_ptr<LineSource> lines;
};

struct EventSourceOptions {
  // What all inputs together may keep in memory, where they are out of order or can be read only once.
  std::uint64_t max_collected_bytes = std::uint64_t{4} << 30;
  // Where given, inputs that can be read again are trusted to be in order, and read once. When one proves not to be,
  // this is called, and all events are given out again from the first.
  std::function<void()> start_over;
};

struct EventSourceCounts {
  std::uint64_t events = 0;         // given out
  std::uint64_t traces = 0;         // distinct trace_ids among them
  std::uint64_t duplicates = 0;     // copies of an event given out, passed over
  std::uint64_t missing = 0;        // gaps in seq, in events, less those that a trace.lost tells of
  std::uint64_t unknown_kinds = 0;  // of a later oomtrace, passed over
  std::uint64_t undecodable = 0;    // lines that are no event, passed over
};

// Order is (trace_id, seq): events of several traces come trace by trace. The result depends on the set of lines only,
// not on their order of arrival, their copies, or on which of the inputs brought them.
class EventSource {
 public:
  // Errors: those of OrderedLines::open(), with the input's name in front.
  static Result<EventSource> open(std::vector<EventInput> inputs, const EventSourceOptions& options = {});

  // The next event; nullptr at the end. It lives until the next call.
  // Errors: Errc::kSchemaTooNew, final: the line was written by a later major version; with start_over also those of
  // OrderedLines::open().
  Result<const Event*> next();

  EventSourceCounts counts() const;  // complete at the end

  // Losses, damage and gaps in words, one sentence each, complete at the end. With several inputs, each sentence
  // about one of them starts with its name.
  std::vector<std::string> notes() const;

 private:
  struct Input {
    std::string name;
    OrderedLines lines;
    std::optional<OrderedLines::Line> head;
    std::uint64_t undecodable = 0;
    std::uint64_t first_undecodable = 0;  // line number
  };

  EventSource() = default;
  Result<void> open_heads();
  Result<void> begin_again();
  bool out_of_order() const;
  Result<const Event*> decode(const OrderedLines::Line& line);
  Input* lowest();
  void follow(const LineKey& key, const TraceStart* start);

  EventSourceOptions options_;
  std::vector<Input> inputs_;
  Input* taken_ = nullptr;  // whose head the last call gave out
  codec::LineDecoder decoder_;
  Event event_;  // where it came out of decoder_
  EventSourceCounts counts_;
  std::string last_trace_;      // of the last line, decoded or not
  std::uint64_t last_seq_ = 0;  // likewise
  bool narrowed_ = false;       // the trace of that line: its gaps in seq were asked for
  bool last_given_ = false;     // whether that line became an event or was understood and passed over
};

}  // namespace oomtrace::trace
