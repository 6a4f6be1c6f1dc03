// SPDX-License-Identifier: Apache-2.0
// Puts the records of several rings into one order by boot time. All memory is taken at construction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace oomtrace::capture {

class MergeBuffer {
 public:
  // A record as it waits; `bytes` is valid until pop() gives the next one.
  struct Item {
    std::uint64_t boot_ns = 0;
    std::uint32_t tag = 0;  // the caller's
    std::span<const std::byte> bytes;
  };

  // `arena_bytes`: room for records; `max_records`: how many may wait.
  MergeBuffer(std::size_t arena_bytes, std::size_t max_records);

  // Copies the record in. False when there is no room: the caller pops (early) and tries again.
  bool push(std::uint64_t boot_ns, std::uint32_t tag, std::span<const std::byte> bytes);

  // The earliest record not later than `until`, first come first served among equals. False: none.
  bool pop(std::uint64_t until_boot_ns, Item& item);

  bool empty() const { return heap_.empty(); }
  // Records that came after one of a later time had been released.
  std::uint64_t late() const { return late_; }

 private:
  struct Entry {
    std::uint64_t boot_ns;
    std::uint64_t order;
    std::uint32_t slot;
    std::uint32_t tag;
  };
  // A stretch of the arena, in the order of arrival; freed from the front once released.
  struct Slot {
    std::size_t offset;
    std::size_t size;
    bool released;
  };
  static bool later(const Entry& a, const Entry& b);
  bool place(std::size_t size, std::size_t& offset) const;
  void free_front();

  std::vector<std::byte> arena_;
  std::vector<Entry> heap_;
  std::vector<Slot> slots_;  // a ring: first_slot_, slot_count_
  std::size_t first_slot_ = 0;
  std::size_t slot_count_ = 0;
  std::uint64_t next_order_ = 0;
  std::uint64_t last_released_ns_ = 0;
  std::size_t pending_release_ = SIZE_MAX;  // slot whose bytes the caller may still read
  std::uint64_t late_ = 0;
};

}  // namespace oomtrace::capture
