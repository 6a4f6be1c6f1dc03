// SPDX-License-Identifier: Apache-2.0
// Who would have been killed under other settings: the same figures and the same arithmetic, something changed.
#include "analysis/whatif.h"

#include <algorithm>

#include "analysis/selection.h"
#include "analysis/weigh.h"

namespace oomtrace::analysis {
namespace {

constexpr std::size_t kDeaths = 3;
constexpr std::int32_t kNever = -1000;  // OOM_SCORE_ADJ_MIN

Weighed* find_pid(std::vector<Weighed>& rows, std::uint32_t pid) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Weighed& row) { return row.process.pid == pid; });
  return found == rows.end() ? nullptr : &*found;
}

// Killing the owner of memory kills all that share it.
bool dies_with(const Weighed& row, const Weighed& killed) {
  if (row.process.pid == killed.process.pid) return true;
  const bool row_shares = row.victim || row.shares_victim_memory;
  const bool killed_shares = killed.victim || killed.shares_victim_memory;
  return row_shares && killed_shares && (row.shares_victim_memory || killed.shares_victim_memory);
}

void set_adj(std::vector<Weighed>& rows, std::uint32_t pid, std::int32_t value, std::vector<std::string>& notes) {
  Weighed* row = find_pid(rows, pid);
  if (!row) {
    notes.push_back("pid " + std::to_string(pid) + " was no candidate: its oom_score_adj changes nothing here");
    return;
  }
  if (!row->base()) {
    notes.push_back("what " + named(row->process.comm, pid) + " held is not known: its points cannot be computed");
    row->told_points.reset();
  }
  // The kernel sets the value of all processes that share memory alike.
  for (Weighed& other : rows) {
    if (&other != row && !dies_with(other, *row)) continue;
    other.oom_score_adj = std::clamp(value, -1000, 1000);
    if (other.excluded == Excluded::kAdjMin) other.excluded = Excluded::kNot;
    if (other.excluded == Excluded::kNot && value <= kNever) other.excluded = Excluded::kAdjMin;
  }
}

std::int64_t held_bytes(const Weighed& row, std::uint32_t page_size) {
  // File pages and page tables come back too; what is shared with others does not: an upper bound.
  static constexpr std::int64_t kMostPages = std::int64_t{1} << 40;
  const auto sane = [](std::optional<std::int64_t> pages) {
    return std::clamp<std::int64_t>(pages.value_or(0), 0, kMostPages);
  };
  return std::min((sane(row.rss) + sane(row.pgtables)) * std::int64_t{page_size}, std::int64_t{1} << 52);
}

std::optional<std::uint64_t> changed_total(const Context& context, const model::Incident& incident,
                                           const WeighedTable& table, std::uint64_t limit_bytes,
                                           std::vector<std::string>& notes) {
  if (incident.decision.domain != DomainKind::kMemcg) {
    notes.push_back("the incident was not at a cgroup's limit: another limit changes nothing in it");
    return table.total_pages;
  }
  if (table.total_pages && incident.decision.limit && table.page_size != 0) {
    // What is not limit is swap, and stays.
    const std::uint64_t limit_pages = *incident.decision.limit / table.page_size;
    const std::uint64_t swap_pages = *table.total_pages > limit_pages ? *table.total_pages - limit_pages : 0;
    return std::max<std::uint64_t>(1, limit_bytes / table.page_size + swap_pages);
  }
  return memcg_total_pages(limit_bytes, incident.decision.swap_limit, host_of(context.world, incident));
}

std::vector<std::uint32_t> sequence_of(std::vector<Weighed> rows, std::optional<std::uint64_t> total_pages) {
  std::vector<std::uint32_t> sequence;
  while (sequence.size() < kDeaths && !rows.empty()) {
    const Weighed first = rows[rank(rows, total_pages).front()];
    if (first.excluded != Excluded::kNot || !points_of(first, total_pages)) break;
    sequence.push_back(first.process.pid);
    std::erase_if(rows, [&](const Weighed& row) { return dies_with(row, first); });
  }
  return sequence;
}

}  // namespace

WhatIfResult what_if(const Context& context, const model::Incident& incident, const WhatIf& change) {
  WhatIfResult result;
  WeighedTable table = weigh(context.world, incident);
  const model::Kill* chosen = chosen_kill(incident);
  if (incident.decision.decided_by == DecidedBy::kAllocatingTask) {
    result.notes.emplace_back(
        "vm.oom_kill_allocating_task was set: the kernel weighed nobody; this is what it would do without it");
  }
  if (!table.complete) {
    result.notes.emplace_back(table.provenance
                                  ? "the list of candidates is not whole: one that it has not may be taken before these"
                                  : "no source told the other candidates: one of them may be taken before these");
  }
  std::optional<std::int64_t> headroom;
  if (incident.decision.limit && incident.decision.usage) headroom = 0;

  result.total_pages = table.total_pages;
  if (change.limit_bytes) {
    result.total_pages = changed_total(context, incident, table, *change.limit_bytes, result.notes);
    const bool memcg = incident.decision.domain == DomainKind::kMemcg;
    if (headroom && memcg && *change.limit_bytes < (std::uint64_t{1} << 60)) {
      headroom = static_cast<std::int64_t>(*change.limit_bytes) -
                 static_cast<std::int64_t>(std::min(*incident.decision.usage, std::uint64_t{1} << 60));
    }
  }
  // Points that a source told belong to the total that it knew.
  if (result.total_pages != table.total_pages) {
    for (Weighed& row : table.rows) row.told_points.reset();
  }
  for (const auto& [pid, value] : change.oom_score_adj) set_adj(table.rows, pid, value, result.notes);
  for (const std::uint32_t pid : change.without) {
    const Weighed* row = find_pid(table.rows, pid);
    if (!row) {
      result.notes.push_back("pid " + std::to_string(pid) +
                             " was no candidate: what its absence would free is not known");
      continue;
    }
    if (headroom) {
      *headroom += held_bytes(*row, table.page_size);
      result.notes.push_back("what " + named(row->process.comm, pid) +
                             " held counts in full: what it shared with others would have stayed");
    }
    std::erase_if(table.rows, [&](const Weighed& other) { return other.process.pid == pid; });
  }
  if (change.limit_bytes || !change.without.empty()) result.headroom_bytes = headroom;
  for (const std::size_t i : rank(table.rows, result.total_pages)) {
    result.ranking.push_back(to_candidate(context, table.rows[i], result.total_pages));
  }
  result.sequence = sequence_of(table.rows, result.total_pages);
  if (!result.sequence.empty() && chosen) result.other_victim = result.sequence.front() != chosen->victim.pid;
  if (result.sequence.size() > 1) {
    result.notes.emplace_back(
        "the later deaths assume that the others keep what they had; in truth they go on growing");
  }
  return result;
}

}  // namespace oomtrace::analysis
