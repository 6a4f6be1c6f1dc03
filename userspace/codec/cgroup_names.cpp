// SPDX-License-Identifier: Apache-2.0
// A hash table over one arena of text.
#include "codec/cgroup_names.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace oomtrace::codec {

CgroupNames::CgroupNames(std::size_t capacity, std::size_t arena_bytes)
    : slots_(std::bit_ceil(capacity * 2)), arena_(arena_bytes, '\0'), capacity_(capacity) {}

std::size_t CgroupNames::find(std::uint64_t id) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = (id * 0x9E3779B97F4A7C15ULL >> 32) & mask;
  while (slots_[at].id != 0 && slots_[at].id != id) at = (at + 1) & mask;
  return at;
}

std::string_view CgroupNames::path_of(std::uint64_t id) const {
  if (id == 0) return {};
  const Slot& slot = slots_[find(id)];
  return slot.id == 0 ? std::string_view() : std::string_view(arena_).substr(slot.offset, slot.size);
}

void CgroupNames::put(std::uint64_t id, std::string_view path) {
  if (id == 0 || path.size() > arena_.size()) return;
  if (path_of(id) == path) return;
  if (count_ >= capacity_ || path.size() > arena_.size() - used_) {
    std::fill(slots_.begin(), slots_.end(), Slot{});
    used_ = count_ = 0;
    ++forgotten_;
  }
  Slot& slot = slots_[find(id)];
  if (slot.id == 0) ++count_;
  path.copy(arena_.data() + used_, path.size());
  slot = Slot{id, static_cast<std::uint32_t>(used_), static_cast<std::uint32_t>(path.size())};
  used_ += path.size();
}

void CgroupNames::learn(const oomtrace_cgroup& record) {
  const std::uint32_t levels = std::min<std::uint32_t>(record.levels, OOMTRACE_CGROUP_LEVELS);
  if (levels == 0) return put(record.id, "/");
  std::array<char, kMaxPath + OOMTRACE_CGROUP_LEVELS + 4> path;
  std::size_t size = 0;
  const auto append = [&](std::string_view text) {
    text = text.substr(0, path.size() - size);
    text.copy(path.data() + size, text.size());
    size += text.size();
  };
  if (record.truncated != 0) append("...");
  for (std::uint32_t i = levels; i-- > 0;) {
    append("/");
    append({record.name[i], strnlen(record.name[i], OOMTRACE_CGROUP_NAME)});
    put(record.level[i].id, {path.data(), size});
  }
}

}  // namespace oomtrace::codec
