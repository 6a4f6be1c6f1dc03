// SPDX-License-Identifier: Apache-2.0
// What one process newly charged to its domain between two moments.
#include "analysis/charged.h"

#include <algorithm>

#include "analysis/envelope.h"
#include "model/lineage.h"

namespace oomtrace::analysis {
namespace {

using model::MemorySample;
using model::Process;

// Hostile figures must not overflow sums: no process of a real machine comes near.
constexpr std::int64_t kMostBytes = std::int64_t{1} << 52;

std::int64_t sane(std::int64_t bytes) { return std::clamp<std::int64_t>(bytes, 0, kMostBytes); }

// What a process passed on to children that still map it; 0 where there are none.
std::int64_t passed_on(const model::World& world, const Process& process, std::uint64_t at_ns) {
  constexpr std::ptrdiff_t kLooked = 1024;
  std::int64_t most = 0;
  const auto& children = process.children;
  for (auto id = children.end() - std::min<std::ptrdiff_t>(kLooked, std::ssize(children)); id != children.end(); ++id) {
    const Process* child = world.find(*id);
    if (!child || !child->inherited || !model::forked_without_exec(world, *child)) continue;
    if (child->first_seen_ns <= at_ns && child->alive_at(at_ns)) most = std::max(most, sane(child->inherited->anon));
  }
  return most;
}

// More cannot be copied than was inherited or passed on; the rest of the faults were reuse or first writes after a
// read.
std::int64_t copies(const model::World& world, const Process& process, std::uint64_t faults, std::uint64_t at_ns,
                    std::uint32_t page_size) {
  if (faults == 0) return 0;
  std::int64_t most = passed_on(world, process, at_ns);
  if (process.inherited && model::forked_without_exec(world, process)) {
    most = std::max(most, sane(process.inherited->anon));
  } else if (model::forked_without_exec(world, process)) {
    most = kMostBytes;  // its fork was not seen
  }
  return std::min(write_fault_bytes(faults, page_size), most);
}

bool inherits(const model::World& world, const Process& process) {
  return process.inherited && model::forked_without_exec(world, process);
}

struct Base {
  MemorySample sample;
  std::uint64_t at_ns = 0;
};

// What the process took and gave back again shortly before is not its growth when it takes it the next time.
std::int64_t above_sample(const Context& context, const Process& process, const Window& window,
                          const MemorySample& sample, std::uint32_t page_size) {
  const auto levels = held_levels(context, process, 0, window.from_ns, page_size);
  const std::int64_t peak = level_at(peaks_of(levels, window.look_back_ns), window.from_ns);
  return std::max<std::int64_t>(0, peak - held_at(context.world, process, sample, window.from_ns, page_size));
}

// Where counting starts: the window's start, or the process's own, later one.
Base base_of(const Context& context, const Process& process, const Window& window, std::uint32_t page_size) {
  const model::World& world = context.world;
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
    base.sample.counters.pgtables = 0;
    base.sample.counters.missing &= static_cast<std::uint8_t>(~kMemoryPgtables);
    return base;
  }
  if (const auto* before = process.memory.at(window.from_ns)) {
    base.sample = before->sample;
    base.sample.counters.anon =
        sane(base.sample.counters.anon) + above_sample(context, process, window, base.sample, page_size);
  } else if (!points.empty()) {
    base.sample = points.front().sample;
    base.at_ns = points.front().from_ns;
  }
  return base;
}

std::optional<std::int64_t> pgtables_of(const MemorySample& sample) {
  if (sample.counters.missing & kMemoryPgtables) return std::nullopt;
  return static_cast<std::int64_t>(std::min<std::uint64_t>(sample.counters.pgtables, kMostBytes));
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

Charged charged_in(const Context& context, const Process& process, const Window& window, std::uint32_t page_size) {
  const model::World& world = context.world;
  Charged charged;
  if (process.memory.empty() || process.first_seen_ns > window.to_ns) return charged;
  if (process.exit_ns && *process.exit_ns < window.from_ns) return charged;
  charged.lived = true;
  const Base base = base_of(context, process, window, page_size);
  add_shared(charged, process, base, window);
  const auto* last = process.memory.at(window.to_ns);
  if (!last) return charged;
  const MemorySample& from = base.sample;
  const MemorySample& to = last->sample;
  charged.dead = process.exit_ns && *process.exit_ns < window.to_ns;
  const auto pgtables_then = pgtables_of(from), pgtables_now = charged.dead ? 0 : pgtables_of(to);
  if (pgtables_then && pgtables_now) charged.pgtables = *pgtables_now - *pgtables_then;
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
  const std::uint64_t before = std::min(from.shared_write_faults, to.shared_write_faults);
  charged.copied = copies(world, process, to.shared_write_faults, window.to_ns, page_size) -
                   copies(world, process, before, window.to_ns, page_size);
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
  return held + copies(world, process, sample.shared_write_faults, at_ns, page_size);
}

}  // namespace oomtrace::analysis
