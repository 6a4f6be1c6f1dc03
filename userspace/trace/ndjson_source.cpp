// SPDX-License-Identifier: Apache-2.0
// Splitting a stream of bytes into bounded lines.
#include "trace/ndjson_source.h"

#include <utility>

#include "trace/limits.h"
#include "trace/line_scan.h"

namespace oomtrace::trace {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

NdjsonSource::NdjsonSource(std::unique_ptr<ByteSource> source) : input_(std::move(source), kMaxLineBytes) {}

bool NdjsonSource::rewind() {
  if (!input_.rewind()) return false;
  notes_.clear();
  failed_.reset();
  line_number_ = 0;
  searched_ = handed_out_ = 0;
  return true;
}

Result<std::optional<std::string_view>> NdjsonSource::next_line() {
  if (failed_) return tl::make_unexpected(*failed_);
  input_.consume(std::exchange(handed_out_, 0));
  for (;;) {
    const std::string_view data = input_.data();
    const std::size_t newline = data.find('\n', searched_);
    if (newline == std::string_view::npos) {
      searched_ = data.size();
      if (input_.at_end()) break;
      auto more = input_.full() ? skip_long_line() : input_.fill().map([] { return true; });
      if (more) continue;
      failed_ = std::move(more).error();
      return tl::make_unexpected(*failed_);
    }
    searched_ = 0;
    std::string_view line = data.substr(0, newline);
    if (line_number_++ == 0 && line.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
      line.remove_prefix(kByteOrderMark.size());
    }
    line = trimmed(line);
    if (!line.empty()) {
      handed_out_ = newline + 1;
      return line;
    }
    input_.consume(newline + 1);
  }

  const std::string_view last = trimmed(input_.data());
  if (last.empty()) return std::nullopt;
  handed_out_ = input_.data().size();
  searched_ = 0;
  if (may_be_whole(last)) return last;
  notes_.add("the last line is cut: " + counted(last.size(), "byte") + " ignored");
  return std::nullopt;
}

// The buffer is full and holds no newline: drops bytes up to and with the next one.
Result<bool> NdjsonSource::skip_long_line() {
  std::size_t size = 0;
  for (;;) {
    const std::size_t newline = input_.data().find('\n');
    const std::size_t drop = newline == std::string_view::npos ? input_.data().size() : newline + 1;
    size += drop;
    input_.consume(drop);
    searched_ = 0;
    if (size > kMaxFrameBytes) {
      return fail(Errc::kInput, "line " + std::to_string(line_number_ + 1) + " is longer than 64 MiB: not event lines");
    }
    if (newline != std::string_view::npos || input_.at_end()) break;
    if (auto filled = input_.fill(); !filled) return tl::make_unexpected(std::move(filled).error());
  }
  ++line_number_;
  notes_.add("line " + std::to_string(line_number_) + " left out: " + counted(size, "byte") + ", more than 1 MiB");
  return true;
}

}  // namespace oomtrace::trace
