// SPDX-License-Identifier: Apache-2.0
// A heap of entries over an arena that is used as a ring.
#include "capture/merge_buffer.h"

#include <algorithm>
#include <cstring>

namespace oomtrace::capture {

MergeBuffer::MergeBuffer(std::size_t arena_bytes, std::size_t max_records) : arena_(arena_bytes), slots_(max_records) {
  heap_.reserve(max_records);
}

bool MergeBuffer::later(const Entry& a, const Entry& b) {
  return a.boot_ns != b.boot_ns ? a.boot_ns > b.boot_ns : a.order > b.order;
}

bool MergeBuffer::place(std::size_t size, std::size_t& offset) const {
  if (size > arena_.size()) return false;
  if (slot_count_ == 0) {
    offset = 0;
    return true;
  }
  const std::size_t tail = slots_[first_slot_].offset;
  const Slot& newest = slots_[(first_slot_ + slot_count_ - 1) % slots_.size()];
  const std::size_t head = newest.offset + newest.size;
  if (newest.offset >= tail) {  // used: tail..head
    if (arena_.size() - head >= size) {
      offset = head;
      return true;
    }
    offset = 0;
    return size < tail;
  }
  offset = head;  // wrapped: free between head and tail
  return tail - head > size;
}

void MergeBuffer::free_front() {
  while (slot_count_ > 0 && slots_[first_slot_].released) {
    first_slot_ = (first_slot_ + 1) % slots_.size();
    --slot_count_;
  }
}

bool MergeBuffer::push(std::uint64_t boot_ns, std::uint32_t tag, std::span<const std::byte> bytes) {
  std::size_t offset = 0;
  if (slot_count_ == slots_.size() || !place(bytes.size(), offset)) return false;
  const std::size_t slot = (first_slot_ + slot_count_) % slots_.size();
  slots_[slot] = Slot{offset, bytes.size(), false};
  ++slot_count_;
  std::memcpy(arena_.data() + offset, bytes.data(), bytes.size());
  heap_.push_back(Entry{boot_ns, next_order_++, static_cast<std::uint32_t>(slot), tag});
  std::push_heap(heap_.begin(), heap_.end(), later);
  return true;
}

bool MergeBuffer::pop(std::uint64_t until_boot_ns, Item& item) {
  if (pending_release_ != SIZE_MAX) {
    slots_[pending_release_].released = true;
    pending_release_ = SIZE_MAX;
    free_front();
  }
  if (heap_.empty() || heap_.front().boot_ns > until_boot_ns) return false;
  std::pop_heap(heap_.begin(), heap_.end(), later);
  const Entry entry = heap_.back();
  heap_.pop_back();
  if (entry.boot_ns < last_released_ns_) ++late_;
  last_released_ns_ = std::max(last_released_ns_, entry.boot_ns);
  const Slot& slot = slots_[entry.slot];
  item = Item{entry.boot_ns, entry.tag, std::span<const std::byte>(arena_.data() + slot.offset, slot.size)};
  pending_release_ = entry.slot;
  return true;
}

}  // namespace oomtrace::capture
