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

// Of how many gaps in seq an event tells: what a disk or a reader did not take is told by a trace.lost that stands for
// the last of it (sink/loss.h). Other losses come before there is a seq.
std::uint64_t gaps_told_by(const Event& event) {
  const auto* lost = std::get_if<TraceLost>(&event.payload);
  if (lost == nullptr || lost->count == 0 || (lost->source != "disk" && lost->source != "stream")) return 0;
  return lost->count - 1;
}

bool leaves_out(const TraceStart& start) { return start.narrowed || !start.selected_kinds.empty(); }

}  // namespace

Result<EventSource> EventSource::open(std::vector<EventInput> inputs, const EventSourceOptions& options) {
  EventSource source;
  source.options_ = options;
  std::uint64_t left = options.max_collected_bytes;
  const Order order = options.start_over ? Order::kTrusted : Order::kVerified;
  for (EventInput& input : inputs) {
    auto lines = OrderedLines::open(std::move(input.lines), left, order);
    if (!lines) return tl::make_unexpected(std::move(lines).error().within(input.name));
    left -= lines->collected_bytes();
    source.inputs_.push_back({std::move(input.name), std::move(*lines), std::nullopt, 0, 0});
  }
  if (auto opened = source.open_heads(); !opened) return tl::make_unexpected(std::move(opened).error());
  return source;
}

Result<void> EventSource::open_heads() {
  for (Input& input : inputs_) {
    input.head = input.lines.next();
    if (const Error* error = input.head ? nullptr : input.lines.first_error()) {
      return tl::make_unexpected(Error(*error).within(input.name));
    }
  }
  return {};
}

bool EventSource::out_of_order() const {
  return std::any_of(inputs_.begin(), inputs_.end(), [](const Input& input) { return input.lines.out_of_order(); });
}

// An input that was trusted and should not have been: everything from the first line, that one sorted.
Result<void> EventSource::begin_again() {
  std::uint64_t left = options_.max_collected_bytes;
  for (const Input& input : inputs_) left -= input.lines.collected_bytes();
  for (Input& input : inputs_) {
    const std::uint64_t before = input.lines.collected_bytes();
    if (auto begun = input.lines.begin_again(left); !begun) {
      return tl::make_unexpected(std::move(begun).error().within(input.name));
    }
    left -= input.lines.collected_bytes() - before;
    input.undecodable = input.first_undecodable = 0;
  }
  taken_ = nullptr;
  counts_ = {};
  last_trace_.clear();
  last_seq_ = 0;
  narrowed_ = false;
  last_given_ = false;
  options_.start_over();
  return open_heads();
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
// first event says so by being a trace.start. One that was narrowed leaves out what was not asked for.
void EventSource::follow(const LineKey& key, const TraceStart* start) {
  if (start != nullptr && key.trace_id == last_trace_) narrowed_ = leaves_out(*start);
  if (counts_.traces == 0 || key.trace_id != last_trace_) {
    ++counts_.traces;
    narrowed_ = start != nullptr && leaves_out(*start);
    if (start == nullptr && key.seq > 0) add_saturated(counts_.missing, key.seq - 1);
    last_trace_ = key.trace_id;
  } else if (key.seq > last_seq_ && !narrowed_) {
    add_saturated(counts_.missing, key.seq - last_seq_ - 1);
  }
  last_seq_ = key.seq;
}

Result<const Event*> EventSource::next() {
  for (;;) {
    if (taken_ != nullptr) taken_->head = taken_->lines.next();
    while (out_of_order()) {
      if (auto begun = begin_again(); !begun) return tl::make_unexpected(std::move(begun).error());
    }
    taken_ = lowest();
    if (taken_ == nullptr) return nullptr;
    const OrderedLines::Line& line = *taken_->head;
    const bool copy = counts_.traces > 0 && line.key.seq == last_seq_ && line.key.trace_id == last_trace_;
    if (copy && last_given_) {
      ++counts_.duplicates;
      continue;
    }
    auto event = decode(line);
    follow(line.key, event && *event ? std::get_if<TraceStart>(&(*event)->payload) : nullptr);
    last_given_ = event.has_value();
    if (event && *event) {
      ++counts_.events;
      if (!narrowed_) counts_.missing -= std::min(counts_.missing, gaps_told_by(**event));
      return event;
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

// nullptr: of a kind that this version does not know.
Result<const Event*> EventSource::decode(const OrderedLines::Line& line) {
  if (line.event != nullptr) return line.event;
  auto event = decoder_.decode(line.text);
  if (!event) return tl::make_unexpected(std::move(event).error());
  if (!*event) return nullptr;
  event_ = **std::move(event);
  return &event_;
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
