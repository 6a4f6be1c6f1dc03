// SPDX-License-Identifier: Apache-2.0
// Blocks that pass between three threads: reading, decoding and the caller's.
#include "trace/read_ahead.h"

#include <new>
#include <system_error>
#include <utility>

#include "codec/canonical_reader.h"

namespace oomtrace::trace {
namespace {

// Handing over wakes another processor, which in a virtual machine costs as much as hundreds of lines.
constexpr std::size_t kBlockBytes = std::size_t{512} << 10;

// Has a processor fetch what another one wrote, before it is used.
template <class T>
void fetch(const T& object) {
  constexpr std::size_t kCacheLine = 64;
  const char* const bytes = reinterpret_cast<const char*>(&object);
  for (std::size_t at = 0; at < sizeof(T); at += kCacheLine) __builtin_prefetch(bytes + at);
}

Error out_of_memory() { return Error{Errc::kInput, 0, "out of memory", {}}; }

}  // namespace

std::unique_ptr<ReadAhead> ReadAhead::start(LineSource& source) {
  std::unique_ptr<ReadAhead> ahead(new ReadAhead(source));
  // RLIMIT_NPROC, RLIMIT_AS or pids.max may have room for one, or for none.
  try {
    ahead->decoder_ = std::thread([&self = *ahead] { self.run_decoding(); });
  } catch (const std::system_error&) {
  }
  try {
    ahead->reader_ = std::thread([&self = *ahead] { self.run_reading(); });
  } catch (const std::system_error&) {
    return nullptr;
  }
  return ahead;
}

ReadAhead::~ReadAhead() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (reader_.joinable()) reader_.join();
  if (decoder_.joinable()) decoder_.join();
}

bool ReadAhead::await(const Block& block, Stage stage) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return stop_ || block.stage == stage; });
  return !stop_;
}

void ReadAhead::hand_on(Block& block, Stage stage) {
  {
    const std::lock_guard lock(mutex_);
    block.stage = stage;
  }
  changed_.notify_all();
}

void ReadAhead::run_reading() {
  for (std::size_t number = 0;; number = (number + 1) % blocks_.size()) {
    Block& block = blocks_[number];
    if (!await(block, Stage::kEmpty)) return;
    read(block);
    const bool last = block.last;
    if (!decoder_.joinable()) decode(block);
    hand_on(block, decoder_.joinable() ? Stage::kRead : Stage::kDecoded);
    if (last) return;
  }
}

void ReadAhead::run_decoding() {
  for (std::size_t number = 0;; number = (number + 1) % blocks_.size()) {
    Block& block = blocks_[number];
    if (!await(block, Stage::kRead)) return;
    decode(block);
    const bool last = block.last;
    hand_on(block, Stage::kDecoded);
    if (last) return;
  }
}

void ReadAhead::read(Block& block) {
  block.text.clear();
  block.used = 0;
  try {
    while (block.text.size() < kBlockBytes) {
      auto line = source_.next_line();
      if (!line) block.error = line.error();
      block.last = !line || !*line;
      if (block.last) break;
      if (block.used == block.entries.size()) block.entries.emplace_back();
      Entry& entry = block.entries[block.used];
      entry.offset = block.text.size();
      entry.size = (*line)->size();
      entry.decoded = false;
      block.text += **line;
      ++block.used;
    }
  } catch (const std::bad_alloc&) {
    block.error = out_of_memory();
    block.last = true;
  }
}

// Only now does the text stay where it is.
void ReadAhead::decode(Block& block) {
  // Who uses the events does so on another processor, where each line's own text has to be fetched, if only to compare
  // it with what the line before had: with this it is the same place.
  codec::Repeated before;
  try {
    for (std::size_t i = 0; i < block.used; ++i) {
      Entry& entry = block.entries[i];
      const std::string_view line = std::string_view(block.text).substr(entry.offset, entry.size);
      entry.decoded = codec::read_canonical(line, entry.event, before);
    }
  } catch (const std::bad_alloc&) {
    block.error = out_of_memory();
    block.last = true;
  }
}

Result<std::optional<ReadAhead::Line>> ReadAhead::next() {
  for (;;) {
    Block& block = blocks_[current_];
    if (position_ == 0) await(block, Stage::kDecoded);
    if (position_ < block.used) {
      const Entry& entry = block.entries[position_++];
      if (position_ + 1 < block.used) fetch(block.entries[position_ + 1]);
      const std::string_view text = std::string_view(block.text).substr(entry.offset, entry.size);
      if (!entry.decoded) return Line{text, line_key(text), nullptr};
      const LineKey key{entry.event.trace_id, entry.event.seq};
      const bool plain = !key.trace_id.empty() && key.trace_id.size() <= kMaxTraceIdBytes && key.seq != 0;
      return Line{text, plain ? std::optional(key) : line_key(text), &entry.event};
    }
    if (block.error) return tl::make_unexpected(*block.error);
    if (block.last) return std::nullopt;
    position_ = 0;
    hand_on(block, Stage::kEmpty);
    current_ = (current_ + 1) % blocks_.size();
  }
}

}  // namespace oomtrace::trace
