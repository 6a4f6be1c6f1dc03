// SPDX-License-Identifier: Apache-2.0
// Encode and push.
#include "cli/event_output.h"

#include <variant>

#include "sink/kill_line.h"
#include "sink/line_class.h"

namespace oomtrace::cli {

void EventOutput::on_event(const Event& event) {
  const auto size = codec::encode_line(event, line_);
  if (!size) {
    ++unencodable_;
    return;
  }
  const std::string_view line(line_.data(), *size);
  if (trace_ != nullptr) {
    const auto* kill = std::get_if<OomKill>(&event.payload);
    // The person at the terminal comes before the disk.
    if (kill != nullptr && !kill->already_dying)
      trace_->push(sink::format_kill_line(*kill, notice_), sink::kNotice, sink::LineClass::kDecision);
    if (trace_filter_.passes(event)) trace_->push(line, sink::kLine, sink::line_class_of(event.payload));
  }
  for (sink::EventTap* tap : taps_) tap->on_event(event, line);
}

void EventOutput::on_kill_complete() {
  if (trace_ != nullptr) trace_->push({}, sink::kSync, sink::LineClass::kDecision);
  for (sink::EventTap* tap : taps_) tap->on_kill_complete();
}

void EventOutput::flush() {
  if (trace_ != nullptr) trace_->push({}, sink::kFlush, sink::LineClass::kDecision);
}

void EventOutput::roll() {
  if (trace_ != nullptr) trace_->push({}, sink::kRoll, sink::LineClass::kDecision);
}

}  // namespace oomtrace::cli
