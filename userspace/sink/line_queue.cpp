// SPDX-License-Identifier: Apache-2.0
// A byte ring with one writer and one reader, and an eventfd for the sleeper.
#include "sink/line_queue.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/sys_error.h"

namespace oomtrace::sink {
namespace {

struct Header {
  std::uint32_t size;
  std::uint16_t flags;
  std::uint16_t line_class;
};
static_assert(sizeof(Header) == 8);

constexpr std::uint32_t kWrap = 0xFFFFFFFFU;  // as a size: nothing more up to the end of the ring
constexpr std::size_t kMinCapacity = 4096;

std::size_t item_bytes(std::size_t text) { return (sizeof(Header) + text + 7) & ~std::size_t{7}; }

}  // namespace

Result<std::unique_ptr<LineQueue>> LineQueue::create(const LineQueueOptions& options) {
  Fd wake_fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_fd) return fail_errno(Errc::kOutput, "eventfd", errno);
  return std::unique_ptr<LineQueue>(new LineQueue(std::move(wake_fd), options));
}

LineQueue::LineQueue(Fd wake_fd, const LineQueueOptions& options)
    : wake_fd_(std::move(wake_fd)),
      capacity_(std::bit_ceil(std::max(options.capacity, kMinCapacity))),
      reserve_(std::min(options.reserve, capacity_)),
      decision_reserve_(std::min(options.decision_reserve, reserve_)),
      wake_bytes_(options.wake_bytes),
      ring_(std::make_unique<std::byte[]>(capacity_)) {
  // Zeroing through a volatile pointer cannot be turned into a lazily mapped calloc.
  volatile std::byte* const bytes = ring_.get();
  constexpr std::size_t kStep = 4096;
  for (std::size_t i = 0; i < capacity_; i += kStep) bytes[i] = std::byte{0};
}

std::size_t LineQueue::limit_of(LineClass line_class) const noexcept {
  switch (line_class) {
    case LineClass::kNormal:
      return capacity_ - reserve_;
    case LineClass::kKill:
      return capacity_ - decision_reserve_;
    case LineClass::kDecision:
      break;
  }
  return capacity_;
}

bool LineQueue::fits(std::size_t text_size, LineClass line_class) noexcept {
  const std::size_t need = item_bytes(text_size);
  const std::uint64_t head = head_.load(std::memory_order_relaxed);
  const std::size_t to_end = capacity_ - (head & (capacity_ - 1));
  seen_tail_ = tail_.load(std::memory_order_acquire);
  return head - seen_tail_ + (need > to_end ? to_end : 0) + need <= limit_of(line_class);
}

bool LineQueue::push(std::string_view text, std::uint32_t flags, LineClass line_class) noexcept {
  const std::size_t need = item_bytes(text.size());
  const std::size_t limit = limit_of(line_class);
  if (text.size() >= kWrap || need > limit) return drop(flags, line_class);

  std::uint64_t head = head_.load(std::memory_order_relaxed);
  const std::size_t place = head & (capacity_ - 1);
  const std::size_t to_end = capacity_ - place;
  const std::size_t fill = need > to_end ? to_end : 0;  // skipped, so that the item does not wrap
  if (head - seen_tail_ + fill + need > limit) {
    seen_tail_ = tail_.load(std::memory_order_acquire);
    if (head - seen_tail_ + fill + need > limit) return drop(flags, line_class);
  }
  if (fill > 0) {
    const Header wrap{kWrap, 0, 0};
    std::memcpy(ring_.get() + place, &wrap, sizeof(wrap));
    head += fill;
  }
  std::byte* const item = ring_.get() + (head & (capacity_ - 1));
  const Header header{static_cast<std::uint32_t>(text.size()), static_cast<std::uint16_t>(flags),
                      static_cast<std::uint16_t>(line_class)};
  std::memcpy(item, &header, sizeof(header));
  if (!text.empty()) std::memcpy(item + sizeof(header), text.data(), text.size());

  // Sequentially consistent with asleep_: either the consumer sees this item before it sleeps, or it is seen asleep.
  head += need;
  head_.store(head, std::memory_order_seq_cst);
  if (head - seen_tail_ > most_used_.load(std::memory_order_relaxed)) {
    seen_tail_ = tail_.load(std::memory_order_acquire);
    const std::size_t used = head - seen_tail_;
    if (used > most_used_.load(std::memory_order_relaxed)) most_used_.store(used, std::memory_order_relaxed);
  }
  if (asleep_.load(std::memory_order_seq_cst)) {
    const bool urgent = (flags & (kFlush | kSync | kNotice)) != 0;
    if (urgent || head - tail_.load(std::memory_order_acquire) >= wake_bytes_) wake_if_asleep();
  }
  return true;
}

bool LineQueue::drop(std::uint32_t flags, LineClass line_class) noexcept {
  if ((flags & kLine) != 0) dropped_[static_cast<std::size_t>(line_class)].fetch_add(1, std::memory_order_relaxed);
  if (const std::uint32_t still = flags & (kFlush | kSync); still != 0) {
    dropped_flags_.fetch_or(still, std::memory_order_seq_cst);
  }
  wake_if_asleep();
  return false;
}

// One write per sleep: whoever wakes the consumer takes the mark away.
void LineQueue::wake_if_asleep() noexcept {
  if (asleep_.exchange(false, std::memory_order_seq_cst)) wake();
}

void LineQueue::wake() noexcept {
  const std::uint64_t one = 1;
  // EAGAIN means that the counter is full, so the consumer is woken anyway.
  [[maybe_unused]] const ssize_t wrote = ::write(wake_fd_.get(), &one, sizeof(one));
}

std::optional<LineQueue::Item> LineQueue::front() noexcept {
  std::uint64_t tail = tail_.load(std::memory_order_relaxed);
  if (tail == seen_head_) {
    seen_head_ = head_.load(std::memory_order_seq_cst);
    if (tail == seen_head_) return std::nullopt;
  }
  Header header;
  std::memcpy(&header, ring_.get() + (tail & (capacity_ - 1)), sizeof(header));
  if (header.size == kWrap) {
    // Published together with the item behind it.
    tail += capacity_ - (tail & (capacity_ - 1));
    tail_.store(tail, std::memory_order_release);
    std::memcpy(&header, ring_.get(), sizeof(header));
  }
  const char* const text = reinterpret_cast<const char*>(ring_.get() + (tail & (capacity_ - 1)) + sizeof(header));
  return Item{{text, header.size}, header.flags, static_cast<LineClass>(header.line_class)};
}

void LineQueue::pop() noexcept {
  const auto item = front();
  if (!item) return;
  tail_.store(tail_.load(std::memory_order_relaxed) + item_bytes(item->text.size()), std::memory_order_release);
}

void LineQueue::wait(std::chrono::milliseconds timeout) noexcept {
  asleep_.store(true, std::memory_order_seq_cst);
  if (!front() && dropped_flags_.load(std::memory_order_seq_cst) == 0 && timeout.count() > 0) {
    pollfd entry{wake_fd_.get(), POLLIN, 0};
    (void)::poll(&entry, 1, static_cast<int>(timeout.count()));
  }
  asleep_.store(false, std::memory_order_seq_cst);
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(wake_fd_.get(), &count, sizeof(count));
}

std::uint64_t LineQueue::dropped(LineClass line_class) const noexcept {
  return dropped_[static_cast<std::size_t>(line_class)].load(std::memory_order_relaxed);
}

std::uint64_t LineQueue::dropped() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& count : dropped_) sum += count.load(std::memory_order_relaxed);
  return sum;
}

std::size_t LineQueue::used_bytes() const noexcept {
  const std::uint64_t tail = tail_.load(std::memory_order_acquire);
  const std::uint64_t head = head_.load(std::memory_order_acquire);
  return static_cast<std::size_t>(head - std::min(head, tail));
}

}  // namespace oomtrace::sink
