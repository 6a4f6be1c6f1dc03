// SPDX-License-Identifier: Apache-2.0
// The kernel's arithmetic: oom_badness() and constrained_alloc() of mm/oom_kill.c, in pages.
#include "analysis/weigh.h"

#include <algorithm>
#include <numeric>

#include "analysis/context.h"
#include "analysis/root_bonus.h"

namespace oomtrace::analysis {
namespace {

constexpr std::uint32_t kSmallestPage = 1024;
// No machine has more; keeps products with 1000 within 64 bits.
constexpr std::uint64_t kMostPages = std::uint64_t{1} << 52;

std::int64_t pages(std::int64_t bytes, std::uint32_t page_size) { return bytes <= 0 ? 0 : bytes / page_size; }

void take_memory(Weighed& to, const MemoryCounters& memory, std::uint32_t page_size) {
  if (page_size == 0) return;
  if ((memory.missing & (kMemoryAnon | kMemoryFile | kMemoryShmem)) == 0) {
    to.rss = pages(memory.file, page_size) + pages(memory.anon, page_size) + pages(memory.shmem, page_size);
  }
  if ((memory.missing & kMemorySwap) == 0) to.swap = pages(memory.swap, page_size);
  if ((memory.missing & kMemoryPgtables) == 0) {
    to.pgtables = static_cast<std::int64_t>(std::min(memory.pgtables / page_size, kMostPages));
  }
}

bool is_victim(const model::Incident& incident, const model::ProcessName& process) {
  return std::any_of(incident.kills.begin(), incident.kills.end(), [&](const model::Kill& kill) {
    return !kill.already_dying && kill.victim.id == process.id && process.id != model::kNoProcess;
  });
}

std::optional<std::int64_t> logged_points(const model::CandidateRow::Logged& logged, const WeighedTable& table) {
  Weighed weighed;
  if (logged.memory) take_memory(weighed, *logged.memory, table.page_size);
  if (!weighed.rss && logged.rss && table.page_size != 0) weighed.rss = pages(*logged.rss, table.page_size);
  weighed.oom_score_adj = logged.oom_score_adj;
  return points_of(weighed, table.total_pages);
}

Weighed from_row(const model::CandidateRow& row, const model::Incident& incident, const WeighedTable& table) {
  const std::uint32_t page_size = table.page_size;
  Weighed weighed;
  weighed.logged = row.logged.has_value();
  if (row.logged) weighed.logged_points = logged_points(*row.logged, table);
  weighed.process = row.process;
  if (row.memory) take_memory(weighed, *row.memory, page_size);
  if (!weighed.rss && row.rss && page_size != 0) weighed.rss = pages(*row.rss, page_size);
  weighed.oom_score_adj = row.oom_score_adj;
  weighed.uid = row.uid;
  weighed.told_points = row.points;
  weighed.excluded = row.excluded;
  weighed.shares_victim_memory = row.shares_victim_memory;
  weighed.victim = is_victim(incident, row.process);
  // Tables made inside of the kill see the victim's mark already; it is what this very decision put there.
  if (weighed.victim && weighed.excluded == Excluded::kAlreadyDying) weighed.excluded = Excluded::kNot;
  return weighed;
}

Weighed from_kill(const model::Kill& kill, std::uint32_t page_size) {
  Weighed weighed;
  weighed.process = kill.victim;
  if (kill.memory) take_memory(weighed, *kill.memory, page_size);
  weighed.oom_score_adj = kill.oom_score_adj;
  weighed.uid = kill.uid;
  weighed.told_points = kill.points;
  weighed.victim = true;
  return weighed;
}

std::optional<std::uint64_t> find_total_pages(const model::World& world, const model::Incident& incident) {
  const model::Decision& decision = incident.decision;
  if (decision.total_pages) return decision.total_pages;
  const model::HostFacts& host = host_of(world, incident);
  if (decision.domain == DomainKind::kMemcg && decision.limit) {
    return memcg_total_pages(*decision.limit, decision.swap_limit, host);
  }
  const bool whole = decision.domain == DomainKind::kGlobal || decision.domain == DomainKind::kSysrq;
  // A kernel log's figure of all memory counts what the kernel keeps for itself: only a live MemTotal is
  // totalram_pages.
  if (!whole || host.source == "kernel_log" || host.page_size < kSmallestPage || !host.mem_total || !host.swap_total) {
    return std::nullopt;
  }
  return *host.mem_total / host.page_size + *host.swap_total / host.page_size;
}

// Where nobody has an adjustment, what it would weigh does not matter.
void weigh_without_total(std::vector<Weighed>& rows) {
  const bool plain = std::all_of(rows.begin(), rows.end(), [](const Weighed& row) {
    return row.excluded != Excluded::kNot || (row.oom_score_adj == 0 && row.base());
  });
  if (!plain) return;
  for (Weighed& row : rows) {
    if (!row.told_points) row.told_points = row.base();
  }
}

bool is_complete(const WeighedTable& table, const model::Incident& incident) {
  if (!table.provenance || incident.candidates_over_limit > 0) return false;
  const auto end = std::find_if(incident.ends.begin(), incident.ends.end(),
                                [&](const model::ScanEnd& one) { return one.provenance == *table.provenance; });
  if (end == incident.ends.end() || end->dropped > 0 || end->report_cut) return false;
  const auto told = std::count_if(incident.candidates.begin(), incident.candidates.end(),
                                  [&](const model::CandidateRow& row) { return row.provenance == *table.provenance; });
  return told >= static_cast<std::ptrdiff_t>(end->emitted);
}

// dump_tasks() lists whom the nodes of the allocation left in, which a walk cannot see where they are those of a
// mapping (mbind): whom a whole table leaves out was out of reach.
void exclude_unlisted(WeighedTable& table, const model::Incident& incident) {
  const DomainKind domain = incident.decision.domain;
  if (domain != DomainKind::kCpuset && domain != DomainKind::kMempolicy) return;
  if (table.provenance == Provenance::kKernelLog) return;
  const bool whole = std::any_of(incident.ends.begin(), incident.ends.end(), [](const model::ScanEnd& end) {
    return end.provenance == Provenance::kKernelLog && !end.report_cut && end.emitted > 0;
  });
  if (!whole) return;
  for (Weighed& row : table.rows) {
    if (row.excluded == Excluded::kNot && !row.victim && !row.logged) row.excluded = Excluded::kOtherDomain;
  }
}

}  // namespace

std::optional<std::int64_t> Weighed::base() const {
  if (!rss || !swap || !pgtables) return std::nullopt;
  return *rss + *swap + *pgtables;
}

std::int64_t adj_points(std::int32_t oom_score_adj, std::uint64_t total_pages) {
  return std::int64_t{std::clamp(oom_score_adj, -1000, 1000)} *
         static_cast<std::int64_t>(std::min(total_pages, kMostPages) / 1000);
}

std::optional<std::int64_t> points_of(const Weighed& candidate, std::optional<std::uint64_t> total_pages) {
  const auto base = candidate.base();
  if (!base || !candidate.oom_score_adj || !total_pages) return candidate.told_points;
  return *base - candidate.discount + adj_points(*candidate.oom_score_adj, *total_pages);
}

std::optional<std::uint64_t> memcg_total_pages(std::uint64_t limit_bytes, std::optional<std::uint64_t> swap_limit_bytes,
                                               const model::HostFacts& host) {
  if (host.page_size < kSmallestPage) return std::nullopt;
  std::uint64_t total = limit_bytes / host.page_size;
  const bool no_swap = host.swap_total == 0U || host.swappiness == 0 || swap_limit_bytes == 0U;
  if (!no_swap) {
    if (!host.swap_total) return std::nullopt;
    total += std::min(*host.swap_total, swap_limit_bytes.value_or(*host.swap_total)) / host.page_size;
  }
  return std::max<std::uint64_t>(total, 1);
}

WeighedTable weigh(const model::World& world, const model::Incident& incident) {
  WeighedTable table;
  const std::uint32_t page_size = host_of(world, incident).page_size;
  table.page_size = page_size < kSmallestPage ? 0 : page_size;
  table.total_pages = find_total_pages(world, incident);
  for (const model::CandidateRow& row : incident.candidates) {
    if (!table.provenance || row.provenance < *table.provenance) table.provenance = row.provenance;
  }
  table.complete = is_complete(table, incident);
  for (const model::CandidateRow& row : incident.candidates) {
    // A poorer source adds no candidates to a better one's, only what could not be chosen.
    if (row.provenance != *table.provenance && row.excluded == Excluded::kNot) continue;
    table.rows.push_back(from_row(row, incident, table));
  }
  exclude_unlisted(table, incident);
  for (const model::Kill& kill : incident.kills) {
    if (kill.already_dying) continue;
    const auto row = std::find_if(table.rows.begin(), table.rows.end(),
                                  [&](const Weighed& known) { return known.process.id == kill.victim.id; });
    if (row == table.rows.end()) {
      table.rows.push_back(from_kill(kill, table.page_size));
      continue;
    }
    if (!row->oom_score_adj) row->oom_score_adj = kill.oom_score_adj;
    if (!row->base() && kill.memory) take_memory(*row, *kill.memory, table.page_size);
    if (!row->told_points) row->told_points = kill.points;
  }
  for (std::size_t i = 0; i < table.rows.size(); ++i) table.rows[i].scan_order = i;
  take_off_root_bonus(world, incident, table);
  if (!table.total_pages) weigh_without_total(table.rows);
  return table;
}

std::vector<std::size_t> rank(const std::vector<Weighed>& rows, std::optional<std::uint64_t> total_pages) {
  struct Key {
    int part;  // 0 with points, 1 without, 2 excluded
    std::int64_t points;
    std::size_t order;
  };
  std::vector<Key> keys;
  keys.reserve(rows.size());
  for (const Weighed& row : rows) {
    const auto points = points_of(row, total_pages);
    keys.push_back({row.excluded != Excluded::kNot ? 2 : points ? 0 : 1, points.value_or(0), row.scan_order});
  }
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
    const Key &a = keys[left], &b = keys[right];
    if (a.part != b.part) return a.part < b.part;
    if (a.part == 0) return a.points != b.points ? a.points > b.points : a.order > b.order;
    return a.order < b.order;
  });
  return order;
}

}  // namespace oomtrace::analysis
