// SPDX-License-Identifier: Apache-2.0
// A hash index over a ring of entries over a ring of text.
#include "codec/cgroup_names.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace oomtrace::codec {

CgroupNames::CgroupNames(std::size_t capacity, std::size_t arena_bytes)
    : entries_(std::max<std::size_t>(capacity, 1)),
      slots_(std::bit_ceil(entries_.size() * 2), kFree),
      arena_(arena_bytes, '\0') {}

// The slot that holds the id, or the free one where it belongs.
std::size_t CgroupNames::slot_of(std::uint64_t id) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = (id * 0x9E3779B97F4A7C15ULL >> 32) & mask;
  while (slots_[at] != kFree && entries_[slots_[at]].id != id) at = (at + 1) & mask;
  return at;
}

// Moves later members of the chain up, so that no search ends early.
void CgroupNames::erase_slot(std::size_t slot) {
  const std::size_t mask = slots_.size() - 1;
  slots_[slot] = kFree;
  for (std::size_t next = (slot + 1) & mask; slots_[next] != kFree; next = (next + 1) & mask) {
    const std::uint32_t moved = slots_[next];
    slots_[next] = kFree;
    slots_[slot_of(entries_[moved].id)] = moved;
  }
}

std::string_view CgroupNames::path_of(std::uint64_t id) const {
  if (id == 0) return {};
  const std::uint32_t index = slots_[slot_of(id)];
  if (index == kFree) return {};
  const Entry& entry = entries_[index];
  if (entry.asked < kMaxAsked) ++entry.asked;
  return text(entry);
}

// Appends where there is room for the entry and, in one piece, for its path.
bool CgroupNames::place(std::uint64_t id, std::string_view path, std::uint8_t asked) {
  if (count_ == entries_.size()) return false;
  if (count_ == 0) head_ = 0;
  const std::size_t tail = count_ == 0 ? 0 : entries_[oldest_].offset;
  std::size_t at = head_;
  if (count_ == 0 || head_ > tail) {
    if (path.size() > arena_.size() - head_) {
      // Strictly less: a head on the tail would look like an empty arena.
      if (path.size() >= tail) return false;
      at = 0;
    }
  } else if (path.size() >= tail - head_) {
    return false;
  }
  path.copy(arena_.data() + at, path.size());
  head_ = at + path.size();
  const std::size_t index = (oldest_ + count_) % entries_.size();
  const std::size_t slot = slot_of(id);
  entries_[index] = {id, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(path.size()), asked};
  slots_[slot] = static_cast<std::uint32_t>(index);
  ++count_;
  return true;
}

// Makes room: the oldest entry goes, or is spared for one time that it was asked for and becomes the newest.
void CgroupNames::drop_oldest() {
  Entry entry = entries_[oldest_];
  std::array<char, kMaxPath> kept;
  const std::size_t size = text(entry).copy(kept.data(), kept.size());
  if (entry.id != 0) {
    erase_slot(slot_of(entry.id));
  } else {
    --dead_;
  }
  oldest_ = (oldest_ + 1) % entries_.size();
  --count_;
  if (entry.id == 0) return;
  if (entry.asked == 0 || !place(entry.id, {kept.data(), size}, static_cast<std::uint8_t>(entry.asked - 1)))
    ++forgotten_;
}

void CgroupNames::put(std::uint64_t id, std::string_view path) {
  if (id == 0 || path.empty() || path.size() > kMaxPath || path.size() >= arena_.size()) return;
  const std::size_t slot = slot_of(id);
  if (slots_[slot] != kFree) {
    Entry& entry = entries_[slots_[slot]];
    if (text(entry) == path) return;
    erase_slot(slot);
    entry.id = 0;
    ++dead_;
  }
  // Ends: each round frees an entry or lowers its `asked`.
  while (!place(id, path, 0)) drop_oldest();
}

void CgroupNames::learn(const oomtrace_cgroup& record) {
  const std::uint32_t levels = std::min<std::uint32_t>(record.levels, OOMTRACE_CGROUP_LEVELS);
  if (levels == 0) return put(record.id, "/");
  std::array<char, kMaxPath> path;
  std::size_t size = 0;
  const auto append = [&](std::string_view text) {
    text.copy(path.data() + size, text.size());
    size += text.size();
  };
  if (record.truncated != 0) append("...");
  for (std::uint32_t i = levels; i-- > 0;) {
    append("/");
    append({record.name[i], strnlen(record.name[i], OOMTRACE_CGROUP_NAME)});
    put(i == 0 ? record.id : record.level[i].id, {path.data(), size});
  }
}

}  // namespace oomtrace::codec
