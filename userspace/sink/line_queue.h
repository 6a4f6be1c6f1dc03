// SPDX-License-Identifier: Apache-2.0
// The bounded way of encoded lines from the thread that drains the kernel's rings to the thread that does I/O.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/fd.h"
#include "oomtrace/result.h"

namespace oomtrace::sink {

// What an item asks for, besides being written. Values are bits.
enum LineFlag : std::uint32_t {
  kLine = 1,    // the text is a line for the sinks
  kFlush = 2,   // then close the frame
  kSync = 4,    // then make it durable (includes kFlush)
  kNotice = 8,  // the text is for the terminal, not for the sinks
  kRoll = 16,   // what follows begins a new segment
};

// What may still use the ring when it fills up: kKill, candidates and what else explains a kill, the reserve;
// kDecision, the kill itself and the ends of the trace, the last part of it, too.
enum class LineClass : std::uint32_t { kNormal, kKill, kDecision };
inline constexpr std::size_t kLineClasses = 3;

struct LineQueueOptions {
  std::size_t capacity = std::size_t{8} << 20;            // bytes; rounded up to a power of two
  std::size_t reserve = std::size_t{2} << 20;             // of these, not for LineClass::kNormal: some 3000 candidates
  std::size_t decision_reserve = std::size_t{512} << 10;  // of these, for LineClass::kDecision only: some 250 kills
  // Wakes a sleeping consumer once so much waits for it; flagged items wake it at once. 0 = at every item.
  std::size_t wake_bytes = std::size_t{256} << 10;
};

// One producer thread, one consumer thread. push() never waits and never allocates; when the ring has no room the item
// is dropped and counted. All memory is taken and touched by create().
//
// The ring holds items in order: an 8-byte header {u32 text size, u16 flags, u16 class}, the text, padding to 8 bytes.
// An item never wraps around the end: where it would, a header of kWrap fills the rest.
class LineQueue {
 public:
  // Errors: Errc::kOutput, no eventfd to be had.
  static Result<std::unique_ptr<LineQueue>> create(const LineQueueOptions& options = {});

  struct Item {
    std::string_view text;
    std::uint32_t flags = 0;
    LineClass line_class = LineClass::kNormal;
  };

  // Producer. False: dropped. A dropped item's kFlush or kSync is still carried out.
  bool push(std::string_view text, std::uint32_t flags = kLine, LineClass line_class = LineClass::kNormal) noexcept;

  // Producer. Whether push() of a text of that size would take it now.
  bool fits(std::size_t text_size, LineClass line_class) noexcept;

  // Consumer. The oldest item, which stays until pop(); nullopt: none. The text lives until pop().
  std::optional<Item> front() noexcept;
  void pop() noexcept;

  // Consumer. kFlush and kSync of items that were dropped since the last call.
  std::uint32_t take_dropped_flags() noexcept { return dropped_flags_.exchange(0, std::memory_order_relaxed); }

  // Consumer. Sleeps until woken or `timeout` is over; returns at once where items wait.
  void wait(std::chrono::milliseconds timeout) noexcept;

  // Any thread. Wakes the consumer.
  void wake() noexcept;

  // Any thread. Dropped lines; other items do not count.
  std::uint64_t dropped(LineClass line_class) const noexcept;
  std::uint64_t dropped() const noexcept;  // of all classes
  std::size_t used_bytes() const noexcept;
  std::size_t most_used_bytes() const noexcept { return most_used_.load(std::memory_order_relaxed); }
  std::size_t capacity() const noexcept { return capacity_; }

 private:
  LineQueue(Fd wake_fd, const LineQueueOptions& options);

  std::size_t limit_of(LineClass line_class) const noexcept;
  bool drop(std::uint32_t flags, LineClass line_class) noexcept;
  void wake_if_asleep() noexcept;

  Fd wake_fd_;
  std::size_t capacity_;
  std::size_t reserve_;
  std::size_t decision_reserve_;
  std::size_t wake_bytes_;
  std::unique_ptr<std::byte[]> ring_;

  // Positions count bytes since the start and never go back; the place in the ring is position % capacity_.
  static constexpr std::size_t kCacheLine = 64;
  alignas(kCacheLine) std::atomic<std::uint64_t> head_{0};  // producer's
  std::uint64_t seen_tail_ = 0;                             // what the producer knows of tail_
  std::array<std::atomic<std::uint64_t>, kLineClasses> dropped_{};
  std::atomic<std::uint32_t> dropped_flags_{0};
  std::atomic<std::size_t> most_used_{0};
  alignas(kCacheLine) std::atomic<std::uint64_t> tail_{0};  // consumer's
  std::uint64_t seen_head_ = 0;                             // what the consumer knows of head_
  alignas(kCacheLine) std::atomic<bool> asleep_{false};
};

}  // namespace oomtrace::sink
