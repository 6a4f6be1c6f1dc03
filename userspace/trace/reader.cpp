// SPDX-License-Identifier: Apache-2.0
// From bytes to verified frames to lines, with a way around damage.
#include "trace/reader.h"

#define ZSTD_STATIC_LINKING_ONLY  // ZSTD_COMPRESSBOUND as a constant
#include <zstd.h>

#include <algorithm>
#include <utility>

#include "trace/limits.h"
#include "trace/line_scan.h"

namespace oomtrace::trace {
namespace {

// No frame of at most kMaxFrameBytes is longer; the header has its own 18 bytes, the checksum 4.
constexpr std::size_t kMaxCompressedBytes = ZSTD_COMPRESSBOUND(kMaxFrameBytes) + 64;

const char* describe(FrameState reason) {
  switch (reason) {
    case FrameState::kTooBig:
      return "a frame that inflates to more than 64 MiB";
    case FrameState::kLineTooLong:
      return "a frame with a line of more than 1 MiB";
    default:
      return "damaged";
  }
}

}  // namespace

Reader::Reader(std::unique_ptr<ByteSource> source) : input_(std::move(source), kMaxCompressedBytes) {}

Result<std::unique_ptr<Reader>> Reader::open(const std::string& path) {
  auto source = FdSource::open(path);
  if (!source) return tl::make_unexpected(std::move(source).error());
  return std::make_unique<Reader>(std::move(*source));
}

bool Reader::rewind() {
  if (!input_.rewind()) return false;
  decoder_.clear();
  notes_.clear();
  gap_.reset();
  failed_.reset();
  frames_ = lost_bytes_ = wasted_bytes_ = inflated_bytes_ = 0;
  started_ = ended_ = false;
  return true;
}

Result<std::optional<std::string_view>> Reader::next_line() {
  if (failed_) return tl::make_unexpected(*failed_);
  for (;;) {
    const std::string_view pending = decoder_.pending();
    if (const std::size_t newline = pending.find('\n'); newline != std::string_view::npos) {
      const std::string_view line = trimmed(pending.substr(0, newline));
      decoder_.consume(newline + 1);
      if (!line.empty()) return line;
      continue;
    }
    if (ended_) return last_line();
    auto loaded = load_frame();
    if (!loaded) {
      failed_ = std::move(loaded).error();
      return tl::make_unexpected(*failed_);
    }
    ended_ = !*loaded;
  }
}

// Frames of our writer end with a line; what another tool compressed need not.
std::optional<std::string_view> Reader::last_line() {
  const std::string_view rest = decoder_.pending();
  if (rest.empty()) return std::nullopt;
  decoder_.consume(rest.size());
  const std::string_view line = trimmed(rest);
  if (may_be_whole(line)) return line;
  notes_.add("the last line is cut: " + counted(rest.size(), "byte") + " ignored");
  return std::nullopt;
}

// Decodes the next good frame; false at the end of the input.
Result<bool> Reader::load_frame() {
  if (!started_) {
    if (auto start = check_start(); !start) return tl::make_unexpected(std::move(start).error());
  }
  for (;;) {
    auto size = measure();
    if (!size) return tl::make_unexpected(std::move(size).error());
    if (input_.data().empty()) {
      if (auto closed = close_last_gap(); !closed) return tl::make_unexpected(std::move(closed).error());
      return false;
    }
    FrameState state = size->state;
    if (state == FrameState::kWhole || state == FrameState::kSkippable) {
      if (gap_) drop_unfinished_line();
      const std::uint64_t before = decoder_.decoded_bytes();
      if (state == FrameState::kWhole) state = decoder_.decode(input_.data().substr(0, size->bytes));
      if (state == FrameState::kWhole || state == FrameState::kSkippable) {
        close_gap();
        input_.consume(size->bytes);
        if (state == FrameState::kSkippable) continue;
        ++frames_;
        inflated_bytes_ += decoder_.decoded_bytes() - before;
        if (is_bomb(input_.offset(), inflated_bytes_)) return fail(Errc::kInput, kBombText);
        return true;
      }
      wasted_bytes_ += decoder_.decoded_bytes() - before;
    }
    if (auto skipped = skip_to_magic(state); !skipped) return tl::make_unexpected(std::move(skipped).error());
  }
}

// How long the frame at the front is; reads as much of the input as that takes.
Result<FrameSize> Reader::measure() {
  for (;;) {
    const FrameSize size = input_.data().empty() ? FrameSize{FrameState::kIncomplete, 0} : measure_frame(input_.data());
    if (size.state != FrameState::kIncomplete || input_.at_end()) return size;
    if (input_.full()) return FrameSize{FrameState::kTooBig, 0};
    if (auto filled = input_.fill(); !filled) return tl::make_unexpected(std::move(filled).error());
  }
}

Result<void> Reader::check_start() {
  while (input_.data().size() < kFrameMagic.size() && !input_.at_end()) {
    if (auto filled = input_.fill(); !filled) return filled;
  }
  if (input_.data().empty()) return fail(Errc::kInput, "the file is empty: nothing was recorded");
  if (frame_magic(input_.data()) == FrameMagic::kNone) {
    return fail(Errc::kInput, "not a trace: it does not start with a zstd frame");
  }
  started_ = true;
  return {};
}

// Leaves what is at the front behind, up to the next place that may start a frame.
Result<void> Reader::skip_to_magic(FrameState reason) {
  if (!gap_) gap_ = Gap{reason, input_.offset(), 0, true};
  wasted_bytes_ += input_.data().size();
  std::size_t from = 1;
  const bool give_up = wasted_bytes_ > kMaxWastedBytes;
  for (;;) {
    const std::string_view data = input_.data();
    const std::size_t found = give_up ? std::string_view::npos : data.find(kFrameMagic, from);
    if (found != std::string_view::npos) {
      widen_gap(found);
      return {};
    }
    // The last bytes may be the start of a magic that is not wholly there.
    const std::size_t keep = input_.at_end() ? 0 : kFrameMagic.size() - 1;
    widen_gap(data.size() - std::min(keep, data.size()));
    if (input_.at_end()) return {};
    from = 0;
    if (auto filled = input_.fill(); !filled) return filled;
  }
}

void Reader::widen_gap(std::size_t bytes) {
  const std::string_view skipped = input_.data().substr(0, bytes);
  gap_->zeros = gap_->zeros && skipped.find_first_not_of('\0') == std::string_view::npos;
  gap_->bytes += bytes;
  lost_bytes_ += bytes;
  input_.consume(bytes);
}

// A line may reach over the end of a frame, but not over a gap.
void Reader::drop_unfinished_line() {
  const std::size_t size = decoder_.pending().size();
  if (size > 0) notes_.add("an unfinished line of " + counted(size, "byte") + " ignored");
  decoder_.clear();
}

void Reader::close_gap() {
  if (!gap_) return;
  notes_.add(counted(gap_->bytes, "byte") + " at offset " + std::to_string(gap_->offset) +
             " skipped: " + describe(gap_->reason));
  gap_.reset();
}

// At the end of the input: is the gap a cut, what a crash leaves, or damage?
Result<void> Reader::close_last_gap() {
  if (!gap_) return {};
  drop_unfinished_line();
  if (gap_->reason == FrameState::kIncomplete) {
    notes_.add("the last frame is cut: " + counted(gap_->bytes, "byte") + " ignored");
    gap_.reset();
    return {};
  }
  if (frames_ == 0) {
    return fail(Errc::kInput, std::string("not a single readable frame: ") + describe(gap_->reason), 0,
                gap_->reason == FrameState::kTooBig ? "if it is sound: zstd -dc FILE | oomtrace report -" : "");
  }
  if (gap_->zeros) {
    notes_.add(counted(gap_->bytes, "zero byte") + " at the end ignored, as a crash of the machine leaves them");
    gap_.reset();
  }
  close_gap();
  return {};
}

}  // namespace oomtrace::trace
