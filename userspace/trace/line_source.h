// SPDX-License-Identifier: Apache-2.0
// Anything that gives event lines one by one: a trace file, an NDJSON stream.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oomtrace/result.h"

namespace oomtrace::trace {

class LineSource {
 public:
  virtual ~LineSource() = default;

  // The next line without its newline, never empty; nullopt at the end. The view lives until the next call.
  // An error (Errc::kInput) is final.
  virtual Result<std::optional<std::string_view>> next_line() = 0;

  // Starts again from the first line, with notes() cleared; false where the input can be read only once.
  virtual bool rewind() = 0;

  // What was damaged, cut or left out so far, one sentence each; complete once next_line() gave nullopt or an error.
  virtual const std::vector<std::string>& notes() const = 0;

  // Bytes of the input taken so far, for a progress bar.
  virtual std::uint64_t bytes_read() const = 0;
};

}  // namespace oomtrace::trace
