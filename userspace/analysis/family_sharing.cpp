// SPDX-License-Identifier: Apache-2.0
#include "analysis/family_sharing.h"

#include <algorithm>
#include <optional>
#include <utility>

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

// Whether what it has of its parent came by fork, with the amount told.
bool inherits(const model::World& world, const Process& process) {
  return process.inherited && model::forked_without_exec(world, process) && !model::shares_memory(process);
}

// A new program keeps nothing of what the old one mapped.
bool ran_exec_between(const Process& process, std::uint64_t from_ns, std::uint64_t to_ns) {
  return process.exec_ns && *process.exec_ns > from_ns && *process.exec_ns <= to_ns;
}

// What came down to a process from an ancestor by forks, and what was copied of it on the way.
struct Line {
  std::int64_t inherited = 0;
  std::int64_t copied = 0;
  std::int64_t written = 0;  // write-protect faults taken while parent and siblings were gone, which may be copies too
};

std::int64_t left_of(std::int64_t mapped, std::int64_t copied) { return mapped > copied ? mapped - copied : 0; }

// What a forked child has not copied yet of what it inherited, and its parent neither.
std::int64_t still_shared(const Line& line, const Process& parent, const Process& child, std::uint64_t at_ns,
                          std::uint32_t page_size) {
  if (!parent.alive_at(at_ns) || ran_exec_between(parent, child.first_seen_ns, at_ns)) return 0;
  const std::int64_t by_parent = copied_between(parent, child.first_seen_ns, at_ns, page_size);
  return left_of(line.inherited, line.copied + std::max<std::int64_t>(0, by_parent));
}

std::optional<Line> own_line(const model::World& world, const Process& child, std::uint64_t at_ns,
                             std::uint32_t page_size) {
  const model::MemorySample* now = sample_at(child, at_ns);
  if (now == nullptr || !child.alive_at(at_ns) || child.first_seen_ns > at_ns || !inherits(world, child)) return {};
  const std::int64_t copied = write_fault_bytes(now->shared_write_faults, page_size);
  const std::uint64_t user = now->faults.write_protect, kernel = now->faults.kernel_write_protect;
  const std::int64_t written = write_fault_bytes(std::max(user + kernel, user), page_size);
  return Line{std::min(child.inherited->anon, now->counters.anon), copied, std::max<std::int64_t>(0, written - copied)};
}

// What `child`, of whose memory `line` is left, and another child of the same parent both still map. The parent itself
// may be gone: pages that it wrote between the two forks are not the same in both.
std::int64_t shared_with(const model::World& world, const Line& line, const Process& parent, const Process& child,
                         const Process& other, std::uint64_t at_ns, std::uint32_t page_size) {
  const auto others = own_line(world, other, at_ns, page_size);
  if (!others) return 0;
  const auto [first_ns, second_ns] = std::minmax(child.first_seen_ns, other.first_seen_ns);
  if (ran_exec_between(parent, first_ns, second_ns)) return 0;
  const std::int64_t between = std::max<std::int64_t>(0, copied_between(parent, first_ns, second_ns, page_size));
  return left_of(std::min(line.inherited, others->inherited), line.copied + others->copied + others->written + between);
}

// The most that it shares with one of the parent's other children, of those born nearest to it.
std::int64_t with_siblings(const model::World& world, const Line& line, const Process& parent, const Process& child,
                           std::uint64_t at_ns, std::uint32_t page_size) {
  constexpr std::ptrdiff_t kLooked = 64;  // to each side
  const auto& children = parent.children;
  const auto self = std::find(children.begin(), children.end(), child.id);
  if (self == children.end()) return 0;
  std::int64_t most = 0;
  const auto begin = self - std::min(kLooked, self - children.begin());
  const auto end = self + std::min(kLooked, children.end() - self);
  for (auto id = begin; id != end; ++id) {
    const Process* other = id == self ? nullptr : world.find(*id);
    if (other != nullptr) most = std::max(most, shared_with(world, line, parent, child, *other, at_ns, page_size));
  }
  return most;
}

}  // namespace

std::int64_t FamilySharing::bytes() const {
  return std::max({with_children_bytes, with_parent_bytes, with_others_bytes});
}

FamilySharing sharing_at(const Context& context, const Process& process, std::uint64_t at_ns, std::uint32_t page_size) {
  constexpr int kGenerations = 8;
  const model::World& world = context.world;
  FamilySharing sharing;
  const model::MemorySample* now = sample_at(process, at_ns);
  if (now == nullptr || page_size == 0) return sharing;
  for (const Process* child : context.processes.children_in(process, at_ns, at_ns)) {
    if (const auto line = own_line(world, *child, at_ns, page_size))
      sharing.with_children_bytes =
          std::max(sharing.with_children_bytes, still_shared(*line, process, *child, at_ns, page_size));
  }
  auto line = own_line(world, process, at_ns, page_size);
  const Process* child = &process;
  for (int generation = 0; line && generation < kGenerations && inherits(world, *child); ++generation) {
    const Process* parent = world.find(child->parent);
    if (parent == nullptr) break;
    line->inherited = std::min(line->inherited, child->inherited->anon);
    const std::int64_t with_it = still_shared(*line, *parent, *child, at_ns, page_size);
    std::int64_t& kept = generation == 0 ? sharing.with_parent_bytes : sharing.with_others_bytes;
    kept = std::max(kept, with_it);
    sharing.with_others_bytes =
        std::max(sharing.with_others_bytes, with_siblings(world, *line, *parent, *child, at_ns, page_size));
    line->copied += std::max<std::int64_t>(0, copied_between(*parent, 0, child->first_seen_ns, page_size));
    line->copied += std::exchange(line->written, 0);
    child = parent;
  }
  for (std::int64_t* bytes : {&sharing.with_children_bytes, &sharing.with_parent_bytes, &sharing.with_others_bytes})
    *bytes = std::min(*bytes, std::max<std::int64_t>(0, now->counters.anon));
  return sharing;
}

}  // namespace oomtrace::analysis
