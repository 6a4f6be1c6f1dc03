// SPDX-License-Identifier: Apache-2.0
// What one process newly charged to its domain between two moments.
#include "analysis/charged.h"

#include <algorithm>

#include "model/lineage.h"

namespace oomtrace::analysis {
namespace {

using model::MemorySample;
using model::Process;

// Hostile figures must not overflow sums: no process of a real machine comes near.
constexpr std::int64_t kMostBytes = std::int64_t{1} << 52;

std::int64_t sane(std::int64_t bytes) { return std::clamp<std::int64_t>(bytes, 0, kMostBytes); }

// More cannot be copied than was inherited; the rest of the faults were reuse or first writes after a read.
std::int64_t copies(const Process& process, std::uint64_t faults, std::uint32_t page_size) {
  const std::int64_t bytes = write_fault_bytes(faults, page_size);
  return process.inherited ? std::min(bytes, sane(process.inherited->anon)) : bytes;
}

bool inherits(const model::World& world, const Process& process) {
  return process.inherited && model::forked_without_exec(world, process);
}

struct Base {
  MemorySample sample;
  std::uint64_t at_ns = 0;
};

// Where counting starts: the window's start, or the process's own, later one.
Base base_of(const model::World& world, const Process& process, const Window& window) {
  Base base{{}, window.from_ns};
  if (process.exec_ns && *process.exec_ns > window.from_ns && *process.exec_ns <= window.to_ns) {
    base.at_ns = *process.exec_ns;  // the old address space went; the new one began empty
    return base;
  }
  const bool born_inside = process.start_boot_ns > window.from_ns ||
                           (process.origin == model::Origin::kFork && process.first_seen_ns > window.from_ns);
  const auto& points = process.memory.points();
  if (born_inside) {
    base.at_ns = process.first_seen_ns;
    if (inherits(world, process)) {
      base.sample.counters = *process.inherited;
    } else if (model::forked_without_exec(world, process) && !points.empty()) {
      // The fork was not seen: its first figures stand in for what it inherited.
      base.sample = points.front().sample;
      base.at_ns = points.front().from_ns;
    }
    return base;
  }
  if (const auto* before = process.memory.at(window.from_ns)) {
    base.sample = before->sample;
  } else if (!points.empty()) {
    base.sample = points.front().sample;
    base.at_ns = points.front().from_ns;
  }
  return base;
}

void add_shared(Charged& charged, const Process& process, const Base& base, const Window& window) {
  for (const int pass : {1, 2}) {
    std::int64_t shmem = sane(base.sample.counters.shmem), file = sane(base.sample.counters.file), sum = 0;
    for (const auto& point : process.memory.points()) {
      if (point.from_ns <= base.at_ns) continue;
      if (point.from_ns > window.to_ns) break;
      const std::int64_t next_shmem = sane(point.sample.counters.shmem), next_file = sane(point.sample.counters.file);
      const std::int64_t added = std::max<std::int64_t>(0, next_shmem - shmem);
      sum = std::min(sum + added, kMostBytes);
      if (pass == 1) {
        charged.file_added = std::min(charged.file_added + std::max<std::int64_t>(0, next_file - file), kMostBytes);
      } else if (charged.shmem_half_ns == 0 && sum > 0 && sum * 2 >= charged.shmem_added) {
        charged.shmem_half_ns = point.from_ns;
      }
      shmem = next_shmem;
      file = next_file;
    }
    charged.shmem_added = sum;
  }
}

}  // namespace

std::int64_t write_fault_bytes(std::uint64_t faults, std::uint32_t page_size) {
  if (page_size == 0) return 0;
  return static_cast<std::int64_t>(std::min<std::uint64_t>(faults, kMostBytes / page_size)) * page_size;
}

Charged charged_in(const model::World& world, const Process& process, const Window& window, std::uint32_t page_size) {
  Charged charged;
  if (process.memory.empty() || process.first_seen_ns > window.to_ns) return charged;
  if (process.exit_ns && *process.exit_ns < window.from_ns) return charged;
  charged.lived = true;
  const Base base = base_of(world, process, window);
  add_shared(charged, process, base, window);
  const auto* last = process.memory.at(window.to_ns);
  if (!last) return charged;
  const MemorySample& from = base.sample;
  const MemorySample& to = last->sample;
  charged.dead = process.exit_ns && *process.exit_ns < window.to_ns;
  if (charged.dead) {
    // Everything came back; what was its own before the window is given back as well.
    MemorySample private_part = from;
    private_part.counters.shmem = 0;
    const std::int64_t own = held_at(world, process, private_part, base.at_ns, page_size);
    charged.fresh_anon = base.at_ns <= window.from_ns ? -own : 0;
    return charged;
  }
  charged.fresh_anon = sane(to.counters.anon) - sane(from.counters.anon);
  charged.swap = sane(to.counters.swap) - sane(from.counters.swap);
  charged.shmem_now = sane(to.counters.shmem) - sane(from.counters.shmem);
  charged.file_now = sane(to.counters.file) - sane(from.counters.file);
  charged.copied = copies(process, to.shared_write_faults, page_size) -
                   copies(process, std::min(from.shared_write_faults, to.shared_write_faults), page_size);
  if (inherits(world, process)) {
    // Inherited pages that it drops stay with the others that map them; only its copies come back.
    const std::int64_t floor = std::max<std::int64_t>(0, sane(from.counters.anon) - sane(process.inherited->anon));
    if (charged.fresh_anon < -floor) {
      charged.copied = std::max<std::int64_t>(0, charged.copied + charged.fresh_anon + floor);
      charged.fresh_anon = -floor;
    }
    if (charged.swap < 0) charged.swap = 0;
  }
  return charged;
}

std::int64_t held_at(const model::World& world, const Process& process, const MemorySample& sample, std::uint64_t at_ns,
                     std::uint32_t page_size) {
  std::int64_t held = sane(sample.counters.anon) + sane(sample.counters.swap) + sane(sample.counters.shmem);
  const bool before_exec = !process.first_exec_ns || *process.first_exec_ns > at_ns;
  if (process.inherited && before_exec) {
    held -= sane(process.inherited->anon) + sane(process.inherited->swap) + sane(process.inherited->shmem);
  }
  held = std::max<std::int64_t>(0, held);
  if (inherits(world, process)) held += copies(process, sample.shared_write_faults, page_size);
  return held;
}

}  // namespace oomtrace::analysis
