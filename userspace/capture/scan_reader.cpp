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

std::int64_t points_of(const oomtrace_mm& mm, std::int32_t adj, std::uint64_t total_pages, std::uint32_t page_size) {
  std::int64_t points = static_cast<std::int64_t>(mm.pgtables_bytes / page_size);
  for (const std::int64_t pages : {mm.file_pages, mm.anon_pages, mm.swap_pages, mm.shmem_pages})
    points += std::max<std::int64_t>(pages, 0);
  return points + adj * static_cast<std::int64_t>(total_pages / 1000);
}

namespace {

oomtrace_mm with_exact(const oomtrace_oom_candidate& candidate) {
  oomtrace_mm mm = candidate.mm;
  mm.file_pages = candidate.exact.file_pages;
  mm.anon_pages = candidate.exact.anon_pages;
  mm.swap_pages = candidate.exact.swap_pages;
  mm.shmem_pages = candidate.exact.shmem_pages;
  return mm;
}

}  // namespace

bool settle_counters(std::span<oomtrace_oom_candidate> candidates, std::uint64_t total_pages, std::uint32_t page_size) {
  std::size_t told = 0;
  std::size_t approximate = 0;
  std::size_t exact = 0;
  for (const oomtrace_oom_candidate& candidate : candidates) {
    if ((candidate.h.valid & OOMTRACE_HAS_KERNEL_POINTS) == 0) continue;
    ++told;
    if (points_of(candidate.mm, candidate.adj, total_pages, page_size) == candidate.kernel_points) ++approximate;
    if ((candidate.h.valid & OOMTRACE_HAS_EXACT_RSS) != 0 &&
        points_of(with_exact(candidate), candidate.adj, total_pages, page_size) == candidate.kernel_points)
      ++exact;
  }
  if (told == 0 || exact <= approximate) return false;
  for (oomtrace_oom_candidate& candidate : candidates) {
    if ((candidate.h.valid & OOMTRACE_HAS_EXACT_RSS) == 0) continue;
    candidate.mm = with_exact(candidate);
    if ((candidate.h.valid & OOMTRACE_HAS_POINTS) != 0)
      candidate.points = points_of(candidate.mm, candidate.adj, total_pages, page_size);
  }
  return true;
}

}  // namespace oomtrace::capture
