// SPDX-License-Identifier: Apache-2.0
// The choice between streaming and sorting.
#include "trace/ordered_lines.h"

#include <utility>

namespace oomtrace::trace {

Result<OrderedLines> OrderedLines::open(std::unique_ptr<LineSource> source, std::uint64_t max_bytes, Order order) {
  OrderedLines lines(std::move(source));
  const bool twice = lines.source_->rewind();
  if (twice && order == Order::kTrusted) {
    lines.trusted_ = true;
    return lines;
  }
  const bool ordered = twice && lines.in_order();
  // Whether it can be read at all shows in the first pass, or else while collecting.
  if (!ordered) {
    if (twice) lines.start_again();
    if (auto collected = lines.collect(max_bytes); !collected) {
      return tl::make_unexpected(std::move(collected).error());
    }
  }
  if (lines.failed_ && lines.keyed_ == 0) return tl::make_unexpected(std::move(*lines.failed_));
  if (ordered) lines.start_again();
  return lines;
}

Result<void> OrderedLines::begin_again(std::uint64_t max_bytes) {
  next_ = 0;
  if (store_) return {};
  start_again();
  if (!std::exchange(out_of_order_, false)) return {};
  trusted_ = false;
  return collect(max_bytes);
}

void OrderedLines::start_again() {
  ahead_.reset();
  // A source that could go back once can again.
  (void)source_->rewind();
  number_ = keyed_ = unkeyed_ = first_unkeyed_ = 0;
  failed_.reset();
}

Result<std::optional<ReadAhead::Line>> OrderedLines::read_source() {
  // Not for the first line: of many inputs that follow one another only one needs a thread at a time.
  if (trusted_ && !ahead_ && number_ == 1) ahead_ = ReadAhead::start(*source_);
  if (ahead_) return ahead_->next();
  const auto line = source_->next_line();
  if (!line) return tl::make_unexpected(line.error());
  if (!*line) return std::nullopt;
  return ReadAhead::Line{**line, line_key(**line), nullptr};
}

// The source's next line that has a key.
std::optional<OrderedLines::Line> OrderedLines::read() {
  if (failed_) return std::nullopt;
  for (;;) {
    auto line = read_source();
    if (!line) failed_ = line.error();
    if (failed_ || !*line) {
      ahead_.reset();
      return std::nullopt;
    }
    ++number_;
    if ((*line)->key) {
      ++keyed_;
      return Line{*(*line)->key, (*line)->text, number_, (*line)->event};
    }
    if (unkeyed_++ == 0) first_unkeyed_ = number_;
  }
}

// Whether the line just read comes after the one before.
bool OrderedLines::follows(const LineKey& key) {
  const bool same_trace = last_trace_ == key.trace_id;
  const bool after = keyed_ <= 1 || (same_trace ? last_seq_ < key.seq : last_trace_ < key.trace_id);
  if (!same_trace) last_trace_ = key.trace_id;
  last_seq_ = key.seq;
  return after;
}

bool OrderedLines::in_order() {
  while (const auto line = read()) {
    if (!follows(line->key)) return false;
  }
  return true;
}

Result<void> OrderedLines::collect(std::uint64_t max_bytes) {
  store_ = std::make_unique<LineStore>(max_bytes);
  while (const auto line = read()) {
    if (!store_->add(line->key, line->text, line->number)) {
      return fail(Errc::kInput,
                  "event lines out of order, or from a pipe, that take more than " + std::to_string(max_bytes >> 20) +
                      " MiB of memory",
                  0, "give the trace file itself, or fewer files at a time");
    }
  }
  store_->sort();
  return {};
}

std::optional<OrderedLines::Line> OrderedLines::next() {
  if (!store_) {
    auto line = out_of_order_ ? std::nullopt : read();
    if (!line || !trusted_ || follows(line->key)) return line;
    out_of_order_ = true;
    return std::nullopt;
  }
  if (next_ == store_->size()) return std::nullopt;
  const std::size_t index = next_++;
  return Line{store_->key(index), store_->line(index), store_->number(index), nullptr};
}

std::vector<std::string> OrderedLines::notes() const {
  std::vector<std::string> notes = source_->notes();
  if (failed_) notes.push_back("reading ended early: " + failed_->context);
  return notes;
}

}  // namespace oomtrace::trace
