// SPDX-License-Identifier: Apache-2.0
// The candidates of a kill, by the way that the plan took to them.
#include <algorithm>
#include <utility>

#include "capture/session.h"
#include "oomtrace/abi.h"

namespace oomtrace::capture {

void Session::on_kill(const oomtrace_oom_kill& kill) {
  if ((kill.flags & (OOMTRACE_KILL_ALREADY_DYING | OOMTRACE_KILL_GROUP_MEMBER)) != 0) {
    kill_waiting_ = true;
    return;
  }
  last_decision_ = kill.decision;
  calibration_->begin_decision();
  if ((kill.h.valid & OOMTRACE_HAS_EXACT_RSS) != 0) {
    calibration_->note(kill.victim.tgid, kill.mm, kill.exact);
    if ((kill.h.valid & OOMTRACE_HAS_CHOSEN_POINTS) != 0)
      calibration_->learn_from_points(kill.mm, kill.exact, kill.victim_adj, kill.total_pages, kill.chosen_points);
  }
  add_candidates(kill);
  if (walk_awaited_ns_ == 0) {
    calibration_->learn_from_kernel_log();
    kill_waiting_ = true;
  }
}

// After the kill is safe: where the families wrote. The programs keep the entries of the dead for this long.
void Session::add_regions() {
  const std::uint64_t decision = std::exchange(last_decision_, 0);
  if (decision == 0) return;
  for (ProcessRegions& regions : bpf_->regions().read()) {
    regions.incident_id = decision;
    add(std::move(regions));
  }
}

void Session::note(const oomtrace_oom_candidate& candidate) {
  if ((candidate.h.valid & OOMTRACE_HAS_EXACT_RSS) != 0)
    calibration_->note(candidate.task.tgid, candidate.mm, candidate.exact);
}

// The kernel's own scan where it is watched; a walk, where the plan took it, puts its records into the ring itself, the
// last an OOM_END; else whatever a census right now still finds.
void Session::add_candidates(const oomtrace_oom_kill& kill) {
  const features::Fact* fact = plan_.find("candidates");
  const features::Way* way = fact != nullptr ? fact->way() : nullptr;
  if (way == nullptr || way->name == "kernel_log") return;
  if (way->name == "task_walk") {
    walk_awaited_ns_ = kill.h.boot_ns;
    return;
  }
  if (way->name != "iter_task") {
    if (add_scanned(kill)) return;
    // oom_kill_allocating_task weighs nobody; otherwise the way attached but did not deliver.
    if (kill.decided_by != OOMTRACE_DECIDED_ALLOCATING_TASK) ++silent_scans_;
  }
  add_census(kill);
}

bool Session::add_scanned(const oomtrace_oom_kill& kill) {
  const std::span<oomtrace_oom_candidate> candidates = bpf_->scanned(kill);
  if (candidates.empty()) return false;
  for (const oomtrace_oom_candidate& candidate : candidates) {
    constexpr std::uint64_t kBoth = OOMTRACE_HAS_EXACT_RSS | OOMTRACE_HAS_KERNEL_POINTS;
    if ((candidate.h.valid & kBoth) == kBoth)
      calibration_->learn_from_points(candidate.mm, candidate.exact, candidate.adj, kill.total_pages,
                                      candidate.kernel_points);
    note(candidate);
    merge(OOMTRACE_RING_KILL, std::as_bytes(std::span(&candidate, 1)));
  }
  end_candidates(kill, static_cast<std::uint32_t>(candidates.size()), OOMTRACE_WAY_EVALUATE_TASK);
  return true;
}

void Session::add_census(const oomtrace_oom_kill& kill) {
  census_for_ = &kill;
  census_count_ = 0;
  const bool done = bpf_->census_candidates(kill.decision);
  census_for_ = nullptr;
  if (done) end_candidates(kill, census_count_, OOMTRACE_WAY_TASK_ITER);
}

// `candidate`: as the census found it, by now.
void Session::add_counted(oomtrace_oom_candidate candidate) {
  const oomtrace_oom_kill& kill = *census_for_;
  if (candidate.task.start_boot_ns > kill.h.boot_ns) return;  // not there when it happened
  if (kill.domain == OOMTRACE_DOMAIN_MEMCG && !within(candidate.memcg, kill.domain_memcg)) return;
  candidate.h.boot_ns = kill.h.boot_ns;
  candidate.decision = kill.decision;
  if (candidate.task.tgid == kill.victim.tgid) {
    // As it was when it was chosen: by now it may have given back everything.
    constexpr std::uint64_t kCounters = OOMTRACE_HAS_MM | OOMTRACE_HAS_EXACT_RSS;
    candidate.mm = kill.mm;
    candidate.exact = kill.exact;
    candidate.h.valid = (candidate.h.valid & ~kCounters) | (kill.h.valid & kCounters);
    if (candidate.excluded == OOMTRACE_EXCLUDED_ALREADY_DYING) candidate.excluded = OOMTRACE_EXCLUDED_NOT;
  }
  if (candidate.excluded == OOMTRACE_EXCLUDED_NOT && (kill.h.valid & OOMTRACE_HAS_TOTAL_PAGES) != 0) {
    candidate.points = points_of(candidate.mm, candidate.adj, kill.total_pages, host_.page_size);
    candidate.h.valid |= OOMTRACE_HAS_POINTS;
  }
  ++census_count_;
  note(candidate);
  merge(OOMTRACE_RING_KILL, std::as_bytes(std::span(&candidate, 1)));
}

bool Session::within(std::uint64_t memcg, std::uint64_t domain) const {
  if (memcg == domain) return true;
  const std::string_view path = decode_.cgroups.path_of(memcg);
  const std::string_view top = decode_.cgroups.path_of(domain);
  return !top.empty() && path.size() > top.size() && path.starts_with(top) && path[top.size()] == '/';
}

void Session::end_candidates(const oomtrace_oom_kill& kill, std::uint32_t count, std::uint32_t way) {
  oomtrace_oom_end end{};
  end.h = kill.h;
  end.h.kind = OOMTRACE_KIND_OOM_END;
  end.h.size = sizeof(end);
  end.decision = kill.decision;
  end.scanned = count;
  end.emitted = count;
  end.way = way;
  merge(OOMTRACE_RING_KILL, std::as_bytes(std::span(&end, 1)));
}

}  // namespace oomtrace::capture
