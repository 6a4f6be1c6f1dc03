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

#include "oomtrace/event.h"
#include "oomtrace/result.h"
#include "trace/json_members.h"
#include "trace/line_source.h"
#include "trace/line_store.h"
#include "trace/read_ahead.h"

namespace oomtrace::trace {

// What is made sure of before the first line is given out.
enum class Order : std::uint8_t {
  kVerified,  // all of it: the input is read twice, once to see
  kTrusted,   // nothing: it is read once, on a thread of its own, and out_of_order() tells when that was wrong
};

// An input that is in order already, without copies, is streamed and costs no memory. One that is not, or that can be
// read only once, is kept in a LineStore.
class OrderedLines {
 public:
  struct Line {
    LineKey key;
    std::string_view text;
    std::uint64_t number = 0;      // in the input, from 1
    const Event* event = nullptr;  // where it has been decoded already
  };

  // Errors: those of the source, if not a single event line came before (a trusted one tells by first_error());
  // Errc::kInput where a disordered input takes more than max_bytes.
  static Result<OrderedLines> open(std::unique_ptr<LineSource> source, std::uint64_t max_bytes,
                                   Order order = Order::kVerified);

  // The next line; nullopt at the end, and where a trusted input proves out of order. Views live until the next call.
  std::optional<Line> next();

  bool out_of_order() const { return out_of_order_; }
  // Begins anew with the first line; what was out of order is sorted first. Errors: as of open().
  Result<void> begin_again(std::uint64_t max_bytes);
  // Why not a single line could be read.
  const Error* first_error() const { return failed_ && keyed_ == 0 ? &*failed_ : nullptr; }

  std::uint64_t collected_bytes() const { return store_ ? store_->used_bytes() : 0; }  // 0: streamed
  std::uint64_t unkeyed_lines() const { return unkeyed_; }  // without trace_id and seq, left out so far
  std::uint64_t first_unkeyed_line() const { return first_unkeyed_; }
  std::vector<std::string> notes() const;  // at the end: the source's, and the error that ended it early

 private:
  explicit OrderedLines(std::unique_ptr<LineSource> source) : source_(std::move(source)) {}

  Result<std::optional<ReadAhead::Line>> read_source();
  std::optional<Line> read();
  bool follows(const LineKey& key);
  bool in_order();
  Result<void> collect(std::uint64_t max_bytes);
  void start_again();

  std::unique_ptr<LineSource> source_;
  std::unique_ptr<ReadAhead> ahead_;  // has source_ while it is there
  std::unique_ptr<LineStore> store_;
  std::size_t next_ = 0;  // in store_
  bool trusted_ = false;
  bool out_of_order_ = false;
  std::string last_trace_;  // of the line before, where order is looked at
  std::uint64_t last_seq_ = 0;
  std::uint64_t number_ = 0;
  std::uint64_t keyed_ = 0;
  std::uint64_t unkeyed_ = 0;
  std::uint64_t first_unkeyed_ = 0;
  std::optional<Error> failed_;  // why the source ended early
};

}  // namespace oomtrace::trace
