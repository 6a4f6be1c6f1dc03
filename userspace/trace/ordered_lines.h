// SPDX-License-Identifier: Apache-2.0
// One input's event lines in the order of (trace_id, seq), however they came.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oomtrace/result.h"
#include "trace/json_members.h"
#include "trace/line_source.h"
#include "trace/line_store.h"

namespace oomtrace::trace {

// An input that is in order already, without copies, is read twice: to see that, and then to give it out. It costs no
// memory. One that is not, or that can be read only once, is kept in a LineStore.
class OrderedLines {
 public:
  struct Line {
    LineKey key;
    std::string_view text;
    std::uint64_t number = 0;  // in the input, from 1
  };

  // Errors: those of the source, if not a single event line came before; Errc::kInput where a disordered input takes
  // more than max_bytes.
  static Result<OrderedLines> open(std::unique_ptr<LineSource> source, std::uint64_t max_bytes);

  // The next line; nullopt at the end. Views live until the next call.
  std::optional<Line> next();

  std::uint64_t collected_bytes() const { return store_ ? store_->used_bytes() : 0; }  // 0: streamed
  std::uint64_t unkeyed_lines() const { return unkeyed_; }  // without trace_id and seq, left out so far
  std::uint64_t first_unkeyed_line() const { return first_unkeyed_; }
  std::vector<std::string> notes() const;  // the source's, and the error that ended it early

 private:
  explicit OrderedLines(std::unique_ptr<LineSource> source) : source_(std::move(source)) {}

  std::optional<Line> read();
  bool in_order();
  Result<void> collect(std::uint64_t max_bytes);
  void start_again();

  std::unique_ptr<LineSource> source_;
  std::unique_ptr<LineStore> store_;
  std::size_t next_ = 0;  // in store_
  std::uint64_t number_ = 0;
  std::uint64_t keyed_ = 0;
  std::uint64_t unkeyed_ = 0;
  std::uint64_t first_unkeyed_ = 0;
  std::optional<Error> failed_;  // why the source ended early
};

}  // namespace oomtrace::trace
