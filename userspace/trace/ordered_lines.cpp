// SPDX-License-Identifier: Apache-2.0
// The choice between streaming and sorting.
#include "trace/ordered_lines.h"

#include <utility>

namespace oomtrace::trace {

Result<OrderedLines> OrderedLines::open(std::unique_ptr<LineSource> source, std::uint64_t max_bytes) {
  OrderedLines lines(std::move(source));
  const bool twice = lines.source_->rewind();
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

void OrderedLines::start_again() {
  // A source that could go back once can again.
  (void)source_->rewind();
  number_ = keyed_ = unkeyed_ = first_unkeyed_ = 0;
  failed_.reset();
}

// The source's next line that has a key.
std::optional<OrderedLines::Line> OrderedLines::read() {
  if (failed_) return std::nullopt;
  for (;;) {
    auto line = source_->next_line();
    if (!line) {
      failed_ = std::move(line).error();
      return std::nullopt;
    }
    if (!*line) return std::nullopt;
    ++number_;
    if (const auto key = line_key(**line)) {
      ++keyed_;
      return Line{*key, **line, number_};
    }
    if (unkeyed_++ == 0) first_unkeyed_ = number_;
  }
}

bool OrderedLines::in_order() {
  std::string trace_id;
  std::uint64_t seq = 0;
  while (const auto line = read()) {
    if (keyed_ > 1 && !(LineKey{trace_id, seq} < line->key)) return false;
    trace_id = line->key.trace_id;
    seq = line->key.seq;
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
  if (!store_) return read();
  if (next_ == store_->size()) return std::nullopt;
  const std::size_t index = next_++;
  return Line{store_->key(index), store_->line(index), store_->number(index)};
}

std::vector<std::string> OrderedLines::notes() const {
  std::vector<std::string> notes = source_->notes();
  if (failed_) notes.push_back("reading ended early: " + failed_->context);
  return notes;
}

}  // namespace oomtrace::trace
