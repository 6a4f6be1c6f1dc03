// SPDX-License-Identifier: Apache-2.0
// One JSON line -> Event.
#pragma once

#include <memory>
#include <string_view>

#include "oomtrace/event.h"
#include "oomtrace/result.h"

namespace oomtrace::codec {

// Reuses its buffers from line to line. Not thread-safe.
class LineDecoder {
 public:
  LineDecoder();
  ~LineDecoder();
  LineDecoder(LineDecoder&&) noexcept;
  LineDecoder& operator=(LineDecoder&&) noexcept;

  // The event's text lives until the next call, and no longer than the line. nullopt: an event of a kind that this
  // version does not know; unknown fields are ignored. Numbers may have become floating-point or text on their way
  // through a pipeline. Errors: kInput (no JSON object, a member of a wrong type: the message names it, line too long),
  // kSchemaTooNew (a trace.start of a later major version).
  Result<std::optional<Event>> decode(std::string_view line);

  // The same for any JSON, and only by its parser: decode() takes a shorter way for lines as encode_line() wrote them.
  Result<std::optional<Event>> parse(std::string_view line);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace oomtrace::codec
