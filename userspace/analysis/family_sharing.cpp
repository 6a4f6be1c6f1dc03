// SPDX-License-Identifier: Apache-2.0
#include "analysis/family_sharing.h"

#include <algorithm>

#include "analysis/charged.h"
#include "model/lineage.h"

namespace oomtrace::analysis {

namespace {

using model::Process;

const model::MemorySample* sample_at(const Process& process, std::uint64_t at_ns) {
  const auto* point = process.memory.at(at_ns);
  return point != nullptr ? &point->sample : nullptr;
}

// What a process copied between two moments.
std::int64_t copied_between(const Process& process, std::uint64_t from_ns, std::uint64_t to_ns,
                            std::uint32_t page_size) {
  const model::MemorySample* before = sample_at(process, from_ns);
  const model::MemorySample* after = sample_at(process, to_ns);
  if (after == nullptr) return 0;
  return write_fault_bytes(after->shared_write_faults, page_size) -
         (before != nullptr ? write_fault_bytes(before->shared_write_faults, page_size) : 0);
}

// What a forked child has not copied yet of what it inherited, and its parent neither.
std::int64_t still_shared(const model::World& world, const Process& parent, const Process& child, std::uint64_t at_ns,
                          std::uint32_t page_size) {
  if (!child.inherited || !child.alive_at(at_ns) || !parent.alive_at(at_ns)) return 0;
  if (!model::forked_without_exec(world, child) || model::shares_memory(child)) return 0;
  const model::MemorySample* now = sample_at(child, at_ns);
  if (now == nullptr) return 0;
  const std::int64_t mapped = std::min(child.inherited->anon, now->counters.anon);
  const std::int64_t copied = write_fault_bytes(now->shared_write_faults, page_size) +
                              std::max<std::int64_t>(0, copied_between(parent, child.first_seen_ns, at_ns, page_size));
  return std::max<std::int64_t>(0, mapped - copied);
}

}  // namespace

std::int64_t FamilySharing::bytes() const { return std::max(with_children_bytes, with_parent_bytes); }

FamilySharing sharing_at(const model::World& world, const Process& process, std::uint64_t at_ns,
                         std::uint32_t page_size) {
  FamilySharing sharing;
  const model::MemorySample* now = sample_at(process, at_ns);
  if (now == nullptr || page_size == 0) return sharing;
  for (const model::ProcessId id : process.children) {
    const Process* child = world.find(id);
    if (child == nullptr) continue;
    sharing.with_children_bytes =
        std::max(sharing.with_children_bytes, still_shared(world, process, *child, at_ns, page_size));
  }
  if (const Process* parent = world.find(process.parent); parent != nullptr)
    sharing.with_parent_bytes = still_shared(world, *parent, process, at_ns, page_size);
  sharing.with_children_bytes = std::min(sharing.with_children_bytes, now->counters.anon);
  sharing.with_parent_bytes = std::min(sharing.with_parent_bytes, now->counters.anon);
  return sharing;
}

}  // namespace oomtrace::analysis
