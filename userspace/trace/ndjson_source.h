// SPDX-License-Identifier: Apache-2.0
// Reads event lines from plain NDJSON: a file, a pipe, what a log pipeline kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oomtrace/result.h"
#include "trace/byte_source.h"
#include "trace/input_buffer.h"
#include "trace/line_source.h"
#include "trace/notes.h"

namespace oomtrace::trace {

// Lines end in LF or CRLF; blank ones and a byte order mark are passed over. A line of kMaxLineBytes or more is left
// out with a note; one beyond kMaxFrameBytes is an error, so that an endless line ends. A last line without a newline
// counts if it closes its object, else it is noted as cut.
class NdjsonSource final : public LineSource {
 public:
  explicit NdjsonSource(std::unique_ptr<ByteSource> source);

  Result<std::optional<std::string_view>> next_line() override;
  bool rewind() override;
  const std::vector<std::string>& notes() const override { return notes_.list(); }
  std::uint64_t bytes_read() const override { return input_.offset(); }

 private:
  Result<bool> skip_long_line();

  InputBuffer input_;
  Notes notes_;
  std::optional<Error> failed_;
  std::uint64_t line_number_ = 0;
  std::size_t searched_ = 0;    // bytes at the front known to hold no newline
  std::size_t handed_out_ = 0;  // bytes of the last line, which stays in place until the next call
};

}  // namespace oomtrace::trace
