// SPDX-License-Identifier: Apache-2.0
// The kernel's arithmetic: oom_badness() and constrained_alloc() of mm/oom_kill.c, in pages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "model/world.h"

namespace oomtrace::analysis {

// What one candidate weighs. Everything in pages of the traced kernel.
struct Weighed {
  model::ProcessName process;
  std::optional<std::int64_t> rss, swap, pgtables;
  std::optional<std::int32_t> oom_score_adj;
  std::optional<std::uint32_t> uid;
  std::int64_t discount = 0;                // what older kernels take off for root
  std::optional<std::int64_t> told_points;  // by the source, for want of figures
  Excluded excluded = Excluded::kNot;
  bool shares_victim_memory = false;
  bool victim = false;
  std::size_t scan_order = 0;
  bool logged = false;                        // the kernel's table has it
  std::optional<std::int64_t> logged_points;  // by the kernel log's row of the same process, beside a better source's

  // rss + swap + pgtables; nullopt where one of them is not known.
  std::optional<std::int64_t> base() const;
};

// adj * (total_pages / 1000), the division first, as the kernel does it.
std::int64_t adj_points(std::int32_t oom_score_adj, std::uint64_t total_pages);

// The points of a candidate; what the source told where the figures are not there.
std::optional<std::int64_t> points_of(const Weighed& candidate, std::optional<std::uint64_t> total_pages);

struct WeighedTable {
  std::vector<Weighed> rows;  // in scan order; a victim that the source left out stands last
  std::optional<Provenance> provenance;
  bool complete = false;  // that source told the end of its list, and every candidate before it
  std::optional<std::uint64_t> total_pages;
  std::uint32_t page_size = 0;  // 0 = not known
};

// The candidates of an incident by the best source that told them.
WeighedTable weigh(const model::World& world, const model::Incident& incident);

// Indices of rows, first the one that the kernel takes: highest points, of equals the one scanned later; without points
// behind them; excluded ones last, in scan order.
std::vector<std::size_t> rank(const std::vector<Weighed>& rows, std::optional<std::uint64_t> total_pages);

// Limit plus the swap that the domain may use, in pages, as mem_cgroup_get_max() adds them; nullopt where a part is not
// known.
std::optional<std::uint64_t> memcg_total_pages(std::uint64_t limit_bytes, std::optional<std::uint64_t> swap_limit_bytes,
                                               const model::HostFacts& host);

}  // namespace oomtrace::analysis
