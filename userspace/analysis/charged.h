// SPDX-License-Identifier: Apache-2.0
// What one process newly charged to its domain between two moments.
#pragma once

#include <cstdint>
#include <optional>

#include "analysis/context.h"

namespace oomtrace::analysis {

struct Window {
  std::uint64_t from_ns = 0;  // CLOCK_BOOTTIME
  std::uint64_t to_ns = 0;
  std::uint64_t look_back_ns = 0;  // peaks so long before from_ns count as its level, see envelope.h
};

// Bytes. What a child inherits at fork is in none of these; what was given back is taken off, so members may be
// negative, but never below what the process itself had charged.
struct Charged {
  std::int64_t fresh_anon = 0;
  std::int64_t copied = 0;
  std::int64_t swap = 0;
  // Sums of what was added, with nothing taken off: shmem and file pages stay charged when they are unmapped, and are
  // mapped by many. See shared_memory.h for whose they are.
  std::int64_t shmem_added = 0, file_added = 0;
  std::int64_t shmem_now = 0, file_now = 0;  // more mapped at the end than at the start
  std::uint64_t shmem_half_ns = 0;           // when half of shmem_added had been added
  // Page tables are a process's own from its start: none are inherited. nullopt where an end was not told.
  std::optional<std::int64_t> pgtables;
  bool lived = false;  // was there at some moment of the window
  bool dead = false;   // gone before its end: gave everything back but shmem
};

// page_size 0: copies are not known and count 0.
Charged charged_in(const Context& context, const model::Process& process, const Window& window,
                   std::uint32_t page_size);

// What the process holds at a sample that it did not inherit: the measure by which the window is found.
std::int64_t held_at(const model::World& world, const model::Process& process, const model::MemorySample& sample,
                     std::uint64_t at_ns, std::uint32_t page_size);

// Bytes of so many write-protect faults; 0 for page_size 0. Saturates.
std::int64_t write_fault_bytes(std::uint64_t faults, std::uint32_t page_size);

}  // namespace oomtrace::analysis
