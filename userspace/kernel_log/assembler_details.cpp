// SPDX-License-Identifier: Apache-2.0
// Records in log order -> OOM reports and notes: the lines that describe the state at a decision.
#include <algorithm>
#include <utility>

#include "kernel_log/assembler.h"
#include "kernel_log/memcg_lines.h"
#include "kernel_log/scan.h"

namespace oomtrace::kernel_log {
namespace {

constexpr std::size_t kMaxRows = 65'536;
constexpr std::size_t kMaxFrames = 64;
constexpr std::size_t kMaxStatBlocks = 256;

// Other messages that bring a header, frames and Mem-Info of their own.
bool begins_foreign_block(std::string_view s) {
  for (const std::string_view words : {"page allocation failure", "page allocation stalls", "BUG: ", "WARNING: ",
                                       "Oops", "INFO: task ", "INFO: rcu", "general protection", "soft lockup"}) {
    if (contains(s, words)) return true;
  }
  return false;
}

bool says_x86(std::string_view s) { return s.starts_with("RIP: ") || s.starts_with("EIP: "); }

bool is_memcg_frame(std::string_view name) {
  return name.starts_with("mem_cgroup_out_of_memory") || name.starts_with("mem_cgroup_oom_synchronize") ||
         name.starts_with("mem_cgroup_handle_oom");
}

}  // namespace

bool Assembler::on_detail_line(const LogRecord& record) {
  const std::string_view s = record.message;
  if (on_usage(record)) return true;
  if (contains(s, "emory cgroup stats")) {
    if (auto stats = parse_stats_head(s)) {
      OpenReport& open = fragment(record);
      if (open.report.stats.size() < kMaxStatBlocks) open.report.stats.push_back(std::move(*stats));
      open.in_stats = true;
      open.muted = false;
      queue_.touch(open, record);
      return true;
    }
  }
  if (on_table(record)) return true;

  if (contains(s, "omm: ")) {
    if (const auto header = parse_header(s); header && on_header(record, *header)) return true;
  }
  OpenReport* open = collecting(record);
  if (!open) return false;
  OomReport& report = open->report;
  if (open->in_stats && parse_stats_line(s, report.stats.back())) {
    queue_.touch(*open, record);
    return true;
  }
  if (begins_foreign_block(s)) {
    open->muted = true;
    return false;
  }
  if (open->muted) return false;
  if (const auto frame = parse_frame(s)) {
    if (report.trigger.invoked && !report.table_seen && !frame->empty()) {
      report.stack_says_memcg |= is_memcg_frame(*frame);
      if (report.stack.size() < kMaxFrames) report.stack.push_back(*frame);
    }
    queue_.touch(*open, record);
    return true;
  }
  const std::string_view t = trim_front(s);
  if (t.starts_with("Mem-Info:") || t.starts_with("Mem-info:")) {
    report.mem_info.heading = report.mem_info.seen = true;
    open->in_stats = false;
    queue_.touch(*open, record);
    return true;
  }
  if (const auto cpuset = parse_cpuset(s)) {
    report.trigger.cpuset = cpuset->cpuset;
    report.trigger.mems_allowed = cpuset->mems_allowed;
    queue_.touch(*open, record);
    return true;
  }
  report.x86_registers |= says_x86(t);
  report.bpf_policy |= t.starts_with("oom_policy=");
  const bool mem_info = open->mem_info.line(t, report.mem_info, report.buddy_page_kb);
  if (mem_info || says_x86(t) || t.starts_with("Call Trace") || t.starts_with("Hardware name"))
    queue_.touch(*open, record);
  return mem_info;
}

bool Assembler::on_header(const LogRecord& record, const HeaderLine& line) {
  OpenReport* best = nullptr;
  for (OpenReport* open : queue_.open_of_host(record)) {
    if (open->state != ReportState::kCollecting || open->muted || !open->report.trigger.invoked ||
        open->report.trigger.tid)
      continue;
    if (open->caller != record.caller) continue;
    const std::string& comm = open->report.trigger.comm;
    if (comm == line.comm || comm.empty() || comm.ends_with(line.comm) || line.comm.starts_with(comm)) best = open;
  }
  if (!best) return false;
  TriggerLine& trigger = best->report.trigger;
  trigger.tid = line.tid;
  if (trigger.comm.size() > line.comm.size() && trigger.comm.ends_with(line.comm)) trigger.comm = line.comm;
  if (!line.release.empty()) best->report.kernel_release = line.release;
  queue_.make_current(record, *best);
  queue_.touch(*best, record);
  return true;
}

bool Assembler::on_usage(const LogRecord& record) {
  if (!contains(record.message, ": usage ")) return false;
  const auto line = parse_usage(record.message);
  if (!line) return false;
  OpenReport* open = collecting(record);
  MemcgUsage OomReport::*const members[] = {&OomReport::memory, &OomReport::memsw, &OomReport::swap, &OomReport::kmem};
  MemcgUsage OomReport::*const member = members[static_cast<std::size_t>(line->kind)];
  if (open && line->kind == UsageKind::kMemory && open->report.memory.usage_kb) open = nullptr;
  if (!open) {
    // Only the first of the lines begins a report; the others without it are not worth one.
    if (line->kind != UsageKind::kMemory) return true;
    open = &begin(record);
  }
  open->report.*member = line->usage;
  open->muted = false;
  queue_.touch(*open, record);
  return true;
}

bool Assembler::on_table(const LogRecord& record) {
  const std::string_view s = record.message;
  if (s.starts_with("Tasks state (memory")) {
    OpenReport* open = collecting(record);
    if (open && open->report.table_seen) open = nullptr;
    if (!open) open = &begin(record);
    open->report.table_seen = open->report.tasks_state = true;
    open->in_stats = open->muted = false;
    open->in_table = true;
    queue_.touch(*open, record);
    return true;
  }
  const std::string_view t = trim_front(s);
  if (!t.starts_with('[')) return false;
  if (contains(t, "tgid")) {
    if (auto columns = parse_table_header(t)) {
      OpenReport* open = collecting(record);
      if (open && !open->report.rows.empty()) open = nullptr;
      if (!open) open = &begin(record);
      open->report.table_seen = open->report.table_header = true;
      open->report.table_splits_rss = std::find(columns->begin(), columns->end(), Column::kRssAnon) != columns->end();
      open->columns = std::move(*columns);
      open->in_stats = open->muted = false;
      open->in_table = true;
      queue_.touch(*open, record);
      return true;
    }
  }
  OpenReport* open = collecting(record);
  static const std::vector<Column> kNone;
  auto row = parse_table_row(t, open ? open->columns : kNone);
  if (!row) return false;
  if (!open) open = &begin(record);
  open->report.table_seen = true;
  open->report.table_splits_rss |= row->rss_anon.has_value();
  open->in_stats = false;
  if (open->report.rows.size() < kMaxRows) {
    open->report.rows.push_back(std::move(*row));
  } else {
    ++open->report.rows_dropped;
  }
  queue_.touch(*open, record);
  return true;
}

// "Linux version ..." (or journalctl's "-- Boot ...") begins a boot; "Adding 2097148k swap on /dev/vda2." counts what
// swap there is.
bool Assembler::on_host_line(const LogRecord& record) {
  const std::string_view s = record.message;
  if (s.starts_with("Linux version ")) {
    const auto boot = parse_boot(s);
    if (!boot) return false;
    for (OpenReport* open : queue_.open_of_host(record)) queue_.close(*open);
    Host& known = host(record);
    known = Host{};
    known.name = record.host;
    known.release = boot->release;
    known.version = boot->version;
    known.boot_seen = true;
    known.used = clock_;
    return true;
  }
  if (s.starts_with("-- Reboot --") || s.starts_with("-- Boot ")) {
    for (OpenReport* open : queue_.open_of_host(record)) queue_.close(*open);
    Host& known = host(record);
    known = Host{};
    known.name = record.host;
    known.used = clock_;
    return true;
  }
  if (s.starts_with("Adding ") && contains(s, " swap on ")) {
    std::string_view digits = s.substr(7);
    const auto kb = take_number<std::uint64_t>(digits);
    if (kb && take(digits, "k swap") && *kb < (1ULL << 50)) host(record).boot_swap_kb += *kb;
    return true;
  }
  if (contains(s, "Manual OOM execution")) {
    Host& known = host(record);
    known.sysrq = true;
    known.sysrq_at = record.stamp;
  }
  return false;
}

}  // namespace oomtrace::kernel_log
