// SPDX-License-Identifier: Apache-2.0
// Two blocks that pass between two threads.
#include "trace/read_ahead.h"

#include <new>
#include <system_error>
#include <utility>

#include "codec/canonical_reader.h"

namespace oomtrace::trace {
namespace {

// Large enough that handing over costs nothing, small enough for a processor's own cache.
constexpr std::size_t kBlockBytes = std::size_t{64} << 10;

}  // namespace

std::unique_ptr<ReadAhead> ReadAhead::start(LineSource& source) {
  std::unique_ptr<ReadAhead> ahead(new ReadAhead(source));
  try {
    ahead->thread_ = std::thread([&self = *ahead] { self.run(); });
  } catch (const std::system_error&) {  // RLIMIT_NPROC, RLIMIT_AS, pids.max
    return nullptr;
  }
  return ahead;
}

ReadAhead::~ReadAhead() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ReadAhead::run() {
  for (std::size_t number = 0;; number ^= 1) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stop_ || !full_[number]; });
      if (stop_) return;
    }
    Block& block = blocks_[number];
    try {
      fill(block);
    } catch (const std::bad_alloc&) {
      block.error = Error{Errc::kInput, 0, "out of memory", {}};
      block.last = true;
    }
    const bool last = block.last;
    {
      const std::lock_guard lock(mutex_);
      full_[number] = true;
    }
    changed_.notify_all();
    if (last) return;
  }
}

void ReadAhead::fill(Block& block) {
  block.text.clear();
  block.used = 0;
  while (block.text.size() < kBlockBytes) {
    auto line = source_.next_line();
    if (!line) block.error = line.error();
    block.last = !line || !*line;
    if (block.last) break;
    if (block.used == block.entries.size()) block.entries.emplace_back();
    Entry& entry = block.entries[block.used++];
    entry.offset = block.text.size();
    entry.size = (*line)->size();
    block.text += **line;
  }
  // Only now does the text stay where it is.
  for (std::size_t i = 0; i < block.used; ++i) {
    Entry& entry = block.entries[i];
    entry.decoded = codec::read_canonical(std::string_view(block.text).substr(entry.offset, entry.size), entry.event);
  }
}

Result<std::optional<ReadAhead::Line>> ReadAhead::next() {
  for (;;) {
    Block& block = blocks_[current_];
    if (position_ == 0) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return full_[current_]; });
    }
    if (position_ < block.used) {
      const Entry& entry = block.entries[position_++];
      const std::string_view text = std::string_view(block.text).substr(entry.offset, entry.size);
      if (!entry.decoded) return Line{text, line_key(text), nullptr};
      const LineKey key{entry.event.trace_id, entry.event.seq};
      const bool plain = !key.trace_id.empty() && key.trace_id.size() <= kMaxTraceIdBytes && key.seq != 0;
      return Line{text, plain ? std::optional(key) : line_key(text), &entry.event};
    }
    if (block.error) return tl::make_unexpected(*block.error);
    if (block.last) return std::nullopt;
    position_ = 0;
    {
      const std::lock_guard lock(mutex_);
      full_[current_] = false;
    }
    changed_.notify_all();
    current_ ^= 1;
  }
}

}  // namespace oomtrace::trace
