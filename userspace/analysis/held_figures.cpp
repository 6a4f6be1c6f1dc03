// SPDX-License-Identifier: Apache-2.0
// What each process held at its samples.
#include "analysis/held_figures.h"

#include "analysis/charged.h"

namespace oomtrace::analysis {

const HeldFigures::Figures& HeldFigures::of(const model::Process& process, std::uint32_t page_size) const {
  const auto [entry, is_new] = known_.try_emplace(std::uint64_t{process.id} << 32 | page_size);
  Figures& figures = entry->second;
  if (!is_new) return figures;
  const auto& points = process.memory.points();
  figures.bytes.reserve(points.size());
  figures.private_bytes.reserve(points.size());
  for (const auto& point : points) {
    figures.bytes.push_back(held_at(world_, process, point.sample, point.from_ns, page_size));
    model::MemorySample own = point.sample;
    own.counters.shmem = process.inherited ? process.inherited->shmem : 0;
    figures.private_bytes.push_back(held_at(world_, process, own, point.from_ns, page_size));
  }
  return figures;
}

}  // namespace oomtrace::analysis
