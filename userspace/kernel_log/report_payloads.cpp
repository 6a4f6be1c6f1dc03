// SPDX-License-Identifier: Apache-2.0
// The payloads of one OOM report's events.
#include "kernel_log/report_payloads.h"

#include <algorithm>
#include <string_view>

#include "kernel_log/derive.h"
#include "kernel_log/scan.h"

namespace oomtrace::kernel_log {
namespace {

Opt<std::uint64_t> bytes(const Opt<std::uint64_t>& kb) {
  return kb && *kb < (1ULL << 53) ? Opt<std::uint64_t>(*kb * 1024) : std::nullopt;
}
Opt<std::uint64_t> bytes(const Opt<std::uint64_t>& pages, std::optional<std::uint32_t> page_size) {
  if (!pages || !page_size || *pages > (1ULL << 62) / *page_size) return std::nullopt;
  return *pages * *page_size;
}
Opt<std::int64_t> signed_bytes(std::int64_t pages, std::uint32_t page_size) {
  if (pages > (1LL << 44) || pages < -(1LL << 44)) return std::nullopt;
  return pages * page_size;
}

// A printed kB value that fits, else marks the member as missing.
template <class T>
void set_kb(T& member, const Opt<std::uint64_t>& kb, MemoryField field, MemoryCounters& counters) {
  if (kb && *kb < (1ULL << 52)) {
    member = static_cast<T>(*kb * 1024);
  } else {
    counters.missing |= field;
  }
}
template <class T>
void set_bytes(T& member, const Opt<std::uint64_t>& value, MemoryField field, MemoryCounters& counters) {
  if (value && *value < (1ULL << 62)) {
    member = static_cast<T>(*value);
    counters.missing &= static_cast<std::uint8_t>(~field);
  } else {
    counters.missing |= field;
  }
}

Opt<std::uint64_t> row_pgtables(const TaskRow& row, std::optional<std::uint32_t> page_size) {
  return row.pgtables_in_bytes ? row.pgtables : bytes(row.pgtables, page_size);
}

// 5.4 to 5.6 printed bytes under the name of kB ("Killed process", fixed by 941f762bcb27): told by the row, which is in
// bytes, or by more page tables than there is address space.
Opt<std::uint64_t> pgtables_bytes(const KillLine& kill, const TaskRow* row, std::optional<std::uint32_t> page_size) {
  if (!kill.pgtables_kb) return row ? row_pgtables(*row, page_size) : std::nullopt;
  const bool as_row = row && row->pgtables_in_bytes && row->pgtables == kill.pgtables_kb && *kill.pgtables_kb >= 4096;
  const bool too_much = kill.total_vm_kb && *kill.pgtables_kb > *kill.total_vm_kb && *kill.pgtables_kb >= 4096;
  return as_row || too_much ? kill.pgtables_kb : bytes(kill.pgtables_kb);
}

constexpr std::uint8_t kAllMissing =
    kMemoryAnon | kMemoryFile | kMemoryShmem | kMemorySwap | kMemoryPgtables | kMemoryTotalVm;

Opt<MemoryCounters> kill_memory(const KillLine& kill, const TaskRow* row, std::optional<std::uint32_t> page_size) {
  MemoryCounters m;
  set_kb(m.anon, kill.anon_rss_kb, kMemoryAnon, m);
  set_kb(m.file, kill.file_rss_kb, kMemoryFile, m);
  set_kb(m.shmem, kill.shmem_rss_kb, kMemoryShmem, m);
  set_kb(m.total_vm, kill.total_vm_kb, kMemoryTotalVm, m);
  m.missing |= kMemorySwap;
  set_bytes(m.pgtables, pgtables_bytes(kill, row, page_size), kMemoryPgtables, m);
  if (row) {
    set_bytes(m.swap, bytes(row->swapents, page_size), kMemorySwap, m);
    if (m.missing & kMemoryTotalVm) set_bytes(m.total_vm, bytes(row->total_vm, page_size), kMemoryTotalVm, m);
  }
  return m.missing == kAllMissing ? std::nullopt : Opt<MemoryCounters>(m);
}

OomDecision decision_of(const OomReport& report, std::uint64_t incident, std::optional<std::uint32_t> page_size) {
  OomDecision d;
  d.incident_id = incident;
  d.domain = domain_of(report);
  const bool allocating = (!report.kills.empty() && report.kills.front().allocating_task) ||
                          (report.selection && report.selection->allocating_task);
  if (allocating) {
    d.decided_by = DecidedBy::kAllocatingTask;
  } else if (d.domain == DomainKind::kSysrq) {
    d.decided_by = DecidedBy::kSysrq;
  } else if (report.bpf_policy || report.constraint.constraint.starts_with("CONSTRAINT_BPF")) {
    d.decided_by = DecidedBy::kBpf;
  } else {
    d.decided_by = DecidedBy::kKernel;
  }
  d.constraint = report.constraint.constraint;
  if (d.domain == DomainKind::kMemcg) {
    d.cgroup.path = report.constraint.oom_memcg;
    if (d.cgroup.path.empty() && !report.stats.empty()) d.cgroup.path = report.stats.front().path;
    d.usage = bytes(report.memory.usage_kb);
    if (!report.memory.unlimited) d.limit = bytes(report.memory.limit_kb);
    if (report.swap.limit_kb && !report.swap.unlimited) d.swap_limit = bytes(report.swap.limit_kb);
    if (report.memsw.limit_kb && !report.memsw.unlimited && report.memory.limit_kb && !report.memory.unlimited &&
        *report.memsw.limit_kb >= *report.memory.limit_kb) {
      d.swap_limit = bytes(Opt<std::uint64_t>(*report.memsw.limit_kb - *report.memory.limit_kb));
    }
  }
  d.total_pages = total_pages_of(report, d.domain, page_size);
  if (d.domain == DomainKind::kMempolicy) d.nodes = report.constraint.nodemask;
  if (d.domain == DomainKind::kCpuset) d.nodes = report.constraint.mems_allowed;
  const TriggerLine& trigger = report.trigger;
  d.trigger.comm = trigger.comm;
  if (trigger.tid) {
    // The header names a thread. Of which process it is, only a row of the table can tell.
    d.trigger.pid = *trigger.tid;
    d.trigger_tid = trigger.tid;
    for (const TaskRow& row : report.rows) {
      if (row.pid == *trigger.tid) d.trigger.pid = row.tgid;
    }
  }
  d.trigger_oom_score_adj = trigger.oom_score_adj;
  d.gfp_mask = trigger.gfp_mask;
  d.gfp_names = trigger.gfp_names;
  d.order = trigger.order;
  for (const std::string& frame : report.stack) d.stack.push_back(frame);
  d.way = "kernel_log";
  d.oom_group = report.oom_group;
  return d;
}

std::string_view why_no_victim(const OomReport& report) {
  switch (report.ended_by) {
    case EndedBy::kNoKillable:
      return "no_killable_process";
    case EndedBy::kPanic:
      return "panic";
    default:
      return "report_cut";
  }
}

// Whether the process that was chosen is another than the one that was killed. Kernels before 4.x choose among threads:
// a number that the table does not have is a thread's, whose process was killed under its own number.
bool names_another_process(const OomReport& report, const KillLine& kill) {
  const std::uint32_t pid = report.selection->pid;
  if (pid == kill.pid) return false;
  const bool listed = std::any_of(report.rows.begin(), report.rows.end(),
                                  [pid](const TaskRow& row) { return row.pid == pid || row.tgid == pid; });
  const TaskRow* killed = row_of(report, kill.pid);
  return listed || !killed || report.rows_dropped > 0 || killed->comm != report.selection->comm;
}

// Before 2.6.33 the line of a kill had no sizes, and is whole without.
bool kills_without_sizes(std::string_view release) {
  if (release.starts_with("2.4.")) return true;
  if (!take(release, "2.6.")) return false;
  const auto patch = take_number<std::uint32_t>(release);
  return patch && *patch < 33;
}

}  // namespace

SystemMemory system_memory(const OomReport& report, std::optional<std::uint32_t> page_size) {
  const MemInfo& info = report.mem_info;
  SystemMemory m;
  const auto sum = [](const Opt<std::uint64_t>& a, const Opt<std::uint64_t>& b) {
    return a && b ? Opt<std::uint64_t>(*a + *b) : std::nullopt;
  };
  if (info.ram && info.reserved && *info.ram >= *info.reserved)
    m.total = bytes(Opt<std::uint64_t>(*info.ram - *info.reserved), page_size);
  m.free = bytes(info.free, page_size);
  if (info.pagecache && info.swapcache && *info.pagecache >= *info.swapcache) {
    m.cached = bytes(Opt<std::uint64_t>(*info.pagecache - *info.swapcache), page_size);
  }
  m.swap_cached = bytes(info.swapcache, page_size);
  m.active = bytes(sum(info.active_anon, info.active_file), page_size);
  m.inactive = bytes(sum(info.inactive_anon, info.inactive_file), page_size);
  m.unevictable = bytes(info.unevictable, page_size);
  const auto anon_lru = sum(sum(info.active_anon, info.inactive_anon), info.isolated_anon.value_or(0));
  if (anon_lru && info.shmem)
    m.anon = bytes(Opt<std::uint64_t>(*anon_lru > *info.shmem ? *anon_lru - *info.shmem : 0), page_size);
  m.mapped = bytes(info.mapped, page_size);
  m.shmem = bytes(info.shmem, page_size);
  m.slab_reclaimable = bytes(info.slab_reclaimable, page_size);
  m.slab_unreclaimable = bytes(info.slab_unreclaimable, page_size);
  m.page_tables = bytes(info.pagetables, page_size);
  m.dirty = bytes(info.dirty, page_size);
  m.writeback = bytes(info.writeback, page_size);
  m.kernel_stack = bytes(info.kernel_stack_kb);
  m.mlocked = bytes(info.mlocked_kb);
  m.swap_total = bytes(info.total_swap_kb);
  m.swap_free = bytes(info.free_swap_kb);
  m.hugetlb = bytes(info.hugetlb_kb);
  m.balloon = bytes(info.balloon_kb);
  return m;
}

std::vector<CgroupMemory> cgroup_memory(const OomReport& report, std::uint64_t incident) {
  std::vector<CgroupMemory> found;
  const bool v1 = report.memsw.limit_kb || report.kmem.limit_kb || report.memsw.usage_kb;
  static const MemcgStats kNone;
  const std::size_t count = report.stats.empty() ? (report.memory.usage_kb ? 1 : 0) : report.stats.size();
  for (std::size_t i = 0; i < count; ++i) {
    const MemcgStats& stats = report.stats.empty() ? kNone : report.stats[i];
    CgroupMemory m;
    m.version = v1 ? 1 : 2;
    m.incident_id = incident;
    m.cgroup.path = stats.path;
    if (m.cgroup.path.empty()) m.cgroup.path = report.constraint.oom_memcg;
    if (i == 0) {
      m.usage = bytes(report.memory.usage_kb);
      if (!report.memory.unlimited) m.limit = bytes(report.memory.limit_kb);
      m.swap_usage = bytes(report.swap.usage_kb);
      if (report.swap.limit_kb && !report.swap.unlimited) m.swap_limit = bytes(report.swap.limit_kb);
    }
    // v1's own names, and its sums over the subtree ("total_"), which follow and win.
    bool total = false;
    for (const auto& [name, value] : stats.values) {
      std::string_view key = name;
      const bool is_total = key.starts_with("total_");
      if (is_total) key.remove_prefix(6);
      if (total && !is_total) continue;
      total |= is_total;
      if (key == "anon" || key == "rss") m.anon = value;
      if (key == "file" || key == "cache") m.file = value;
      if (key == "shmem") m.shmem = value;
      if (key == "kernel") m.kernel = value;
      if (key == "slab") m.slab = value;
      if (key == "pagetables") m.page_tables = value;
      if (key == "file_mapped" || key == "mapped_file") m.file_mapped = value;
    }
    found.push_back(m);
  }
  return found;
}

std::vector<std::pair<Stamp, OomKill>> kill_payloads(const OomReport& report, std::uint64_t incident,
                                                     std::optional<std::uint32_t> page_size) {
  std::vector<std::pair<Stamp, OomKill>> found;
  OomKill base;
  base.decision = decision_of(report, incident, page_size);
  const ConstraintLine& constraint = report.constraint;
  for (const KillLine& kill : report.kills) {
    OomKill k = base;
    const TaskRow* row = row_of(report, kill.pid);
    k.victim = {kill.pid, 0, kill.comm};
    k.uid = kill.uid;
    if (!k.uid && constraint.pid == kill.pid) k.uid = constraint.uid;
    if (!k.uid && row) k.uid = row->uid;
    k.oom_score_adj = kill.oom_score_adj;
    if (!k.oom_score_adj && row) k.oom_score_adj = row->oom_score_adj;
    if (!kill.group_member) k.cgroup.path = constraint.task_memcg;
    k.memory = kill_memory(kill, row, page_size);
    if (report.selection && !kill.group_member) {
      k.score = report.selection->score;
      if (names_another_process(report, kill)) k.sacrificed_for_pid = report.selection->pid;
    }
    k.group_member = kill.group_member;
    k.already_dying = kill.already_exiting;
    found.emplace_back(kill.stamp, k);
  }
  if (!found.empty()) return found;

  OomKill k = base;
  KillLine line;
  line.pid = constraint.pid ? *constraint.pid : report.selection ? report.selection->pid : 0;
  if (line.pid == 0 || report.ended_by == EndedBy::kNoKillable || report.ended_by == EndedBy::kPanic) {
    k.no_victim = why_no_victim(report);
  } else {
    const TaskRow* row = row_of(report, line.pid);
    k.victim = {line.pid, 0, constraint.pid ? constraint.comm : report.selection->comm};
    k.uid = constraint.uid;
    if (!k.uid && row) k.uid = row->uid;
    if (row) k.oom_score_adj = row->oom_score_adj;
    k.cgroup.path = constraint.task_memcg;
    k.memory = row ? kill_memory(line, row, page_size) : std::nullopt;
    if (report.selection) k.score = report.selection->score;
  }
  found.emplace_back(report.start, k);
  return found;
}

OomCandidate candidate_payload(const TaskRow& row, std::uint64_t incident, std::optional<std::uint32_t> page_size) {
  OomCandidate c;
  c.incident_id = incident;
  c.process = {row.tgid, 0, row.comm};
  if (row.pid != row.tgid) c.tid = row.pid;
  c.uid = row.uid;
  c.oom_score_adj = row.oom_score_adj;
  c.provenance = Provenance::kKernelLog;
  if (row.oom_score_adj == -1000) c.excluded = Excluded::kAdjMin;
  if (row.tgid == 1) c.excluded = Excluded::kInit;
  MemoryCounters m;
  const bool split = row.rss_anon && row.rss_file && row.rss_shmem && page_size;
  if (split) {
    m.anon = signed_bytes(*row.rss_anon, *page_size).value_or(0);
    m.file = signed_bytes(*row.rss_file, *page_size).value_or(0);
    m.shmem = signed_bytes(*row.rss_shmem, *page_size).value_or(0);
  } else {
    m.missing = kMemoryAnon | kMemoryFile | kMemoryShmem;
    if (const auto rss = bytes(row.rss, page_size)) c.rss = static_cast<std::int64_t>(*rss);
  }
  set_bytes(m.swap, bytes(row.swapents, page_size), kMemorySwap, m);
  set_bytes(m.pgtables, row_pgtables(row, page_size), kMemoryPgtables, m);
  set_bytes(m.total_vm, bytes(row.total_vm, page_size), kMemoryTotalVm, m);
  if (m.missing != kAllMissing) c.memory = m;
  return c;
}

OomEnd end_payload(const OomReport& report, std::uint64_t incident) {
  OomEnd end;
  end.incident_id = incident;
  end.emitted = static_cast<std::uint32_t>(report.rows.size());
  end.dropped = static_cast<std::uint32_t>(report.rows_dropped > 0xffffffffULL ? 0xffffffffULL : report.rows_dropped);
  end.scanned = end.emitted + end.dropped;
  end.provenance = Provenance::kKernelLog;
  const bool ended =
      report.ended_by == EndedBy::kNoKillable || report.ended_by == EndedBy::kPanic ||
      (!report.kills.empty() && (report.kills.front().total_vm_kb || report.kills.front().already_exiting ||
                                 kills_without_sizes(report.kernel_release)));
  end.report_cut = !report.trigger.invoked || !ended;
  return end;
}

MemoryCounters reaped_memory(const Note& note) {
  MemoryCounters m;
  set_kb(m.anon, note.anon_rss_kb, kMemoryAnon, m);
  set_kb(m.file, note.file_rss_kb, kMemoryFile, m);
  set_kb(m.shmem, note.shmem_rss_kb, kMemoryShmem, m);
  m.missing |= kMemorySwap | kMemoryPgtables | kMemoryTotalVm;
  return m;
}

}  // namespace oomtrace::kernel_log
