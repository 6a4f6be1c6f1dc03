// SPDX-License-Identifier: Apache-2.0
// The map is shared memory: an entry may change while it is read, so each is copied and checked.
#include "capture/scan_reader.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "oomtrace/bpf_globals.h"

namespace oomtrace::capture {

ScanReader::ScanReader(int map_fd) {
  stride_ = (sizeof(oomtrace_oom_candidate) + 7) / 8 * 8;
  length_ = stride_ * OOMTRACE_SCANNED_MAX;
  void* mapped = mmap(nullptr, length_, PROT_READ, MAP_SHARED, map_fd, 0);
  if (mapped == MAP_FAILED) return;
  entries_ = static_cast<const std::byte*>(mapped);
  copy_.resize(OOMTRACE_SCANNED_MAX);
}

ScanReader::~ScanReader() { release(); }

ScanReader::ScanReader(ScanReader&& other) noexcept
    : entries_(std::exchange(other.entries_, nullptr)),
      stride_(other.stride_),
      length_(other.length_),
      copy_(std::move(other.copy_)) {}

ScanReader& ScanReader::operator=(ScanReader&& other) noexcept {
  if (this == &other) return *this;
  release();
  entries_ = std::exchange(other.entries_, nullptr);
  stride_ = other.stride_;
  length_ = other.length_;
  copy_ = std::move(other.copy_);
  return *this;
}

void ScanReader::release() {
  if (entries_ != nullptr) munmap(const_cast<std::byte*>(entries_), length_);
  entries_ = nullptr;
}

std::span<oomtrace_oom_candidate> ScanReader::read(const oomtrace_oom_kill& kill) {
  if (entries_ == nullptr || kill.scan_start >= OOMTRACE_SCANNED_MAX) return {};
  const std::uint32_t count = std::min<std::uint32_t>(kill.scan_count, OOMTRACE_SCANNED_MAX);
  std::size_t kept = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t index = (kill.scan_start + i) % OOMTRACE_SCANNED_MAX;
    oomtrace_oom_candidate& entry = copy_[kept];
    std::memcpy(&entry, entries_ + index * stride_, sizeof(entry));
    if (entry.h.kind != OOMTRACE_KIND_OOM_CANDIDATE || entry.h.boot_ns > kill.h.boot_ns) continue;  // overwritten
    entry.h.boot_ns = kill.h.boot_ns;
    entry.decision = kill.decision;
    if (entry.task.tgid == kill.victim.tgid && entry.excluded == OOMTRACE_EXCLUDED_ALREADY_DYING)
      entry.excluded = OOMTRACE_EXCLUDED_NOT;
    ++kept;
  }
  return {copy_.data(), kept};
}

}  // namespace oomtrace::capture
