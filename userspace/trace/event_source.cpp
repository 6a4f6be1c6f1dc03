// SPDX-License-Identifier: Apache-2.0
// Merging ordered inputs, dropping copies, counting gaps.
#include "trace/event_source.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>
#include <variant>

#include "trace/notes.h"

namespace oomtrace::trace {
namespace {

// Numbers out of hostile lines must not wrap a count.
void add_saturated(std::uint64_t& sum, std::uint64_t count) {
  const std::uint64_t room = std::numeric_limits<std::uint64_t>::max() - sum;
  sum += count < room ? count : room;
}

}  // namespace

Result<EventSource> EventSource::open(std::vector<EventInput> inputs, const EventSourceOptions& options) {
  EventSource source;
  std::uint64_t left = options.max_collected_bytes;
  for (EventInput& input : inputs) {
    auto lines = OrderedLines::open(std::move(input.lines), left);
    if (!lines) return tl::make_unexpected(std::move(lines).error().within(input.name));
    left -= lines->collected_bytes();
    source.inputs_.push_back({std::move(input.name), std::move(*lines), std::nullopt, 0, 0});
  }
  for (Input& input : source.inputs_) input.head = input.lines.next();
  return source;
}

// The input whose head comes next. Copies are ordered by their text, so that it does not matter which input has which.
EventSource::Input* EventSource::lowest() {
  Input* best = nullptr;
  for (Input& input : inputs_) {
    if (!input.head) continue;
    if (best == nullptr || std::tie(input.head->key, input.head->text) < std::tie(best->head->key, best->head->text)) {
      best = &input;
    }
  }
  return best;
}

// Counts what is missing between the line before and this one. A trace may start late, with a later segment: then its
// first event says so by being a trace.start.
void EventSource::follow(const LineKey& key, bool starts_a_trace) {
  if (counts_.traces == 0 || key.trace_id != last_trace_) {
    ++counts_.traces;
    if (!starts_a_trace && key.seq > 0) add_saturated(counts_.missing, key.seq - 1);
    last_trace_ = key.trace_id;
  } else if (key.seq > last_seq_) {
    add_saturated(counts_.missing, key.seq - last_seq_ - 1);
  }
  last_seq_ = key.seq;
}

Result<std::optional<Event>> EventSource::next() {
  for (;;) {
    if (taken_ != nullptr) taken_->head = taken_->lines.next();
    taken_ = lowest();
    if (taken_ == nullptr) return std::nullopt;
    const OrderedLines::Line& line = *taken_->head;
    const bool copy = counts_.traces > 0 && line.key.seq == last_seq_ && line.key.trace_id == last_trace_;
    if (copy && last_given_) {
      ++counts_.duplicates;
      continue;
    }
    auto event = decoder_.decode(line.text);
    const bool known = event && event->has_value();
    follow(line.key, known && std::holds_alternative<TraceStart>((*event)->payload));
    last_given_ = event.has_value();
    if (known) {
      ++counts_.events;
      return std::move(*event);
    }
    if (event) {
      ++counts_.unknown_kinds;
      continue;
    }
    if (event.error().code == Errc::kSchemaTooNew) {
      return tl::make_unexpected(std::move(event).error().within(taken_->name));
    }
    ++counts_.undecodable;
    if (taken_->undecodable++ == 0 || line.number < taken_->first_undecodable) {
      taken_->first_undecodable = line.number;
    }
  }
}

EventSourceCounts EventSource::counts() const {
  EventSourceCounts counts = counts_;
  for (const Input& input : inputs_) counts.undecodable += input.lines.unkeyed_lines();
  return counts;
}

std::vector<std::string> EventSource::notes() const {
  std::vector<std::string> notes;
  for (const Input& input : inputs_) {
    const std::string prefix = inputs_.size() > 1 ? input.name + ": " : "";
    for (const std::string& note : input.lines.notes()) notes.push_back(prefix + note);
    std::uint64_t bad = input.undecodable;
    std::uint64_t first = input.first_undecodable;
    if (const std::uint64_t unkeyed = input.lines.unkeyed_lines(); unkeyed > 0) {
      first = bad == 0 ? input.lines.first_unkeyed_line() : std::min(first, input.lines.first_unkeyed_line());
      bad += unkeyed;
    }
    if (bad > 0) {
      notes.push_back(prefix + counted(bad, "line") + " could not be read as an event, the first is line " +
                      std::to_string(first));
    }
  }
  if (counts_.unknown_kinds > 0) {
    notes.push_back(counted(counts_.unknown_kinds, "event") + " of kinds that this version does not know passed over");
  }
  if (counts_.missing > 0) {
    notes.push_back(counted(counts_.missing, "event") + " missing from the input (gaps in seq)");
  }
  return notes;
}

}  // namespace oomtrace::trace
