// SPDX-License-Identifier: Apache-2.0
// Records in log order -> OOM reports and notes: the lines that say who died and why.
#include "kernel_log/assembler.h"

#include <algorithm>
#include <utility>

#include "kernel_log/derive.h"
#include "kernel_log/needle_search.h"
#include "kernel_log/scan.h"

namespace oomtrace::kernel_log {
namespace {

constexpr std::size_t kMaxHosts = 32;
constexpr std::size_t kMaxKills = 4096;
constexpr std::int64_t kGroupWindow = 5'000'000;
constexpr std::int64_t kSharersWindow = 1'000'000;
constexpr std::int64_t kAtOnce = 1'000'000;
constexpr std::int64_t kSysrqWindow = 10'000'000;

bool has_pid(const OomReport& report, std::uint32_t pid) {
  return std::any_of(report.rows.begin(), report.rows.end(),
                     [pid](const TaskRow& row) { return row.pid == pid || row.tgid == pid; });
}
bool same_process(const OomReport& report, std::uint32_t a, std::uint32_t b) {
  const TaskRow* row = row_of(report, a);
  return row && row == row_of(report, b);
}
bool killed(const OomReport& report, std::uint32_t pid) {
  return std::any_of(report.kills.begin(), report.kills.end(), [pid](const KillLine& kill) { return kill.pid == pid; });
}

// The report's own words and the kill's exclude each other.
bool contradicts(const OomReport& report, KillMessage message) {
  const bool memcg = report.memory.usage_kb || !report.constraint.oom_memcg.empty() ||
                     report.constraint.constraint == "CONSTRAINT_MEMCG";
  if (message == KillMessage::kGlobal) return memcg;
  return message == KillMessage::kMemcg && report.constraint.global_oom;
}

}  // namespace

void Assembler::on_record(const LogRecord& record) {
  ++clock_;
  queue_.advance(record);
  // Every line that decides something, or is worth a note, holds one of the search's words.
  const bool needle = find_needle(record.message, 0) != std::string_view::npos;
  const bool used = !record.foreign && dispatch(record, needle);
  if (!used && needle) {
    if (auto note = parse_note(record)) queue_.add(std::move(*note));
  }
  queue_.pump();
}

Assembler::Host& Assembler::host(const LogRecord& record) {
  for (Host& known : hosts_) {
    if (known.name == record.host) {
      known.used = clock_;
      return known;
    }
  }
  if (hosts_.size() == kMaxHosts) {
    hosts_.erase(
        std::min_element(hosts_.begin(), hosts_.end(), [](const Host& a, const Host& b) { return a.used < b.used; }));
  }
  hosts_.emplace_back();
  hosts_.back().name = record.host;
  hosts_.back().used = clock_;
  return hosts_.back();
}

OpenReport* Assembler::collecting(const LogRecord& record) {
  OpenReport* open = queue_.current(record);
  return open && open->state == ReportState::kCollecting ? open : nullptr;
}

OpenReport& Assembler::begin(const LogRecord& record) {
  queue_.close_killed(record);
  OpenReport& open = queue_.begin(record);
  Host& known = host(record);
  open.report.kernel_release = known.release;
  open.report.kernel_version = known.version;
  if (known.boot_seen) open.report.boot_swap_kb = known.boot_swap_kb;
  if (known.sysrq && within(known.sysrq_at, record.stamp, kSysrqWindow)) open.report.sysrq = true;
  known.sysrq = false;
  return open;
}

OpenReport& Assembler::fragment(const LogRecord& record) {
  OpenReport* open = collecting(record);
  return open ? *open : begin(record);
}

bool Assembler::dispatch(const LogRecord& record, bool needle) {
  if (record.message.empty()) return false;
  if (needle && on_decision_line(record)) return true;
  const bool feeds = needle || queue_.any_open();
  return (feeds ? on_detail_line(record) : on_table(record)) || on_host_line(record);
}

bool Assembler::on_decision_line(const LogRecord& record) {
  const std::string_view s = record.message;
  if (contains(s, "oom-killer")) {
    if (auto line = parse_invoked(s)) {
      on_invoked(record, std::move(*line));
      return true;
    }
  }
  if (contains(s, "Kernel panic - not syncing")) return on_panic(record);
  if (contains(s, "oom-kill:")) {
    if (auto line = parse_constraint(s)) {
      on_constraint(record, std::move(*line));
      return true;
    }
  }
  if (contains(s, "Killed process ") || contains(s, "OOM victim ")) {
    if (auto line = parse_killed(s)) {
      // Both lines of an old kernel's kill in one, as Kubernetes' events have them.
      if (const auto selection = parse_selection(s.substr(0, s.find("Killed process "))))
        on_selection(record, *selection);
      on_killed(record, std::move(*line));
      return true;
    }
  }
  if (contains(s, "ill process ")) {
    if (const auto sharer = parse_sharer(s)) {
      Note note;
      note.kind = NoteKind::kSharer;
      note.message = s;
      note.host = record.host;
      note.stamp = record.stamp;
      note.pid = sharer->pid;
      note.comm = sharer->comm;
      queue_.add(std::move(note));
      return true;
    }
    if (const auto line = parse_selection(s)) {
      on_selection(record, *line);
      return true;
    }
  }
  if (contains(s, "memory.oom.group set")) {
    if (const auto path = parse_group(s)) {
      on_group(record, *path);
      return true;
    }
  }
  if (contains(s, "of limit of ") || contains(s, "limit reached of cgroup")) {
    if (const auto line = parse_limit_of(s)) {
      on_limit_of(record, *line);
      return true;
    }
  }
  if (contains(s, "oom_reaper: reaped")) {
    if (const auto line = parse_reaped(s)) {
      on_reaped(record, *line);
      return true;
    }
  }
  if (contains(s, "no killable processes")) {
    on_no_killable(record);
    return true;
  }
  return false;
}

void Assembler::on_invoked(const LogRecord& record, TriggerLine line) {
  OpenReport& open = begin(record);
  open.report.trigger = std::move(line);
}

void Assembler::on_constraint(const LogRecord& record, ConstraintLine line) {
  OpenReport* open = collecting(record);
  if (open && open->report.constraint.seen) open = nullptr;
  if (!open && line.pid) {
    // Out of order: the kill came first.
    OpenReport* killer = queue_.killer_of(record, *line.pid);
    if (killer && killer->state == ReportState::kKilled && !killer->report.constraint.seen &&
        killer->report.trigger.invoked && within(killer->killed_at, record.stamp, kGroupWindow)) {
      open = killer;
    }
  }
  if (!open) open = &begin(record);
  // "Task in X killed as a result of limit of Y" may have told the paths before.
  if (line.oom_memcg.empty()) line.oom_memcg = open->report.constraint.oom_memcg;
  if (line.task_memcg.empty()) line.task_memcg = open->report.constraint.task_memcg;
  open->report.constraint = std::move(line);
  open->in_stats = open->in_table = open->muted = false;
  queue_.touch(*open, record);
}

void Assembler::on_limit_of(const LogRecord& record, const ConstraintLine& line) {
  OpenReport* open = collecting(record);
  if (open && !open->report.constraint.oom_memcg.empty()) open = nullptr;
  if (!open) open = &begin(record);
  open->report.constraint.oom_memcg = line.oom_memcg;
  open->report.constraint.task_memcg = line.task_memcg;
  open->muted = false;
  queue_.touch(*open, record);
}

void Assembler::on_selection(const LogRecord& record, const SelectionLine& line) {
  OpenReport* open = collecting(record);
  if (open && (open->report.selection || contradicts(open->report, line.message))) open = nullptr;
  if (!open) open = &begin(record);
  open->report.selection = line;
  open->in_stats = open->in_table = open->muted = false;
  queue_.touch(*open, record);
}

OpenReport* Assembler::match_kill(const LogRecord& record, const KillLine& line) {
  OpenReport* current = collecting(record);
  for (OpenReport* open : queue_.open_of_host(record)) {
    if (open->state == ReportState::kCollecting && open->report.constraint.pid == line.pid) return open;
  }
  if (current && !contradicts(current->report, line.message)) {
    const ConstraintLine& constraint = current->report.constraint;
    bool same = !constraint.pid || constraint.comm == line.comm || current->report.selection;
    // The leader is gone: the kill line names a thread. The table does the same, or the lines are neighbours.
    same |= constraint.pid &&
            (same_process(current->report, *constraint.pid, line.pid) || queue_.is_previous_line(*current));
    if (same) return current;
  }
  for (OpenReport* open : queue_.open_of_host(record)) {
    if (open->state == ReportState::kCollecting && open != current && has_pid(open->report, line.pid)) return open;
  }
  return nullptr;
}

void Assembler::on_killed(const LogRecord& record, KillLine line) {
  line.stamp = record.stamp;
  // Right behind the line that announces a group, a kill is of that group, whatever older report lacks one.
  const OpenReport* current = queue_.current(record);
  const bool of_group = current && current->state == ReportState::kKilled && !current->report.oom_group.empty();
  if (of_group && join_group(record, line)) return;
  if (OpenReport* open = match_kill(record, line)) {
    add_kill(*open, record, std::move(line));
    return;
  }
  if (join_group(record, line) || join_sharers(record, line)) return;
  if (line.already_exiting) {
    if (auto note = parse_note(record)) queue_.add(std::move(*note));
    return;
  }
  // A kill whose report is not there; it does not end what went before, since it may still be of its group.
  OpenReport& open = queue_.begin(record);
  open.report.kernel_release = host(record).release;
  open.report.kernel_version = host(record).version;
  open.bare = true;
  add_kill(open, record, std::move(line));
}

void Assembler::add_kill(OpenReport& open, const LogRecord& record, KillLine line) {
  OomReport& report = open.report;
  if (report.kills.empty()) report.ended_by = EndedBy::kKill;
  if (report.kills.size() < kMaxKills) report.kills.push_back(std::move(line));
  open.state = ReportState::kKilled;
  open.killed_at = record.stamp;
  open.in_stats = open.in_table = false;
  queue_.touch(open, record);
}

// 2.4 and early 2.6 killed, and named, every task that shares the victim's memory: threads under LinuxThreads.
bool Assembler::join_sharers(const LogRecord& record, KillLine& line) {
  if (!line.sharers_follow) return false;
  for (OpenReport* open : queue_.open_of_host(record)) {
    if (open->report.kills.empty() || open->state != ReportState::kKilled) continue;  // "no killable processes"
    if (!within(open->killed_at, record.stamp, kSharersWindow)) continue;
    const KillLine& first = open->report.kills.front();
    if (!first.sharers_follow || first.comm != line.comm) continue;
    if (!killed(open->report, line.pid)) {
      line.group_member = true;
      add_kill(*open, record, std::move(line));
    }
    return true;
  }
  return false;
}

// A kill line behind another one without a report of its own: of the same memory.oom.group, or a repeated line. Where
// the line that announces the group is lost, the first victim's second line tells.
bool Assembler::join_group(const LogRecord& record, KillLine& line) {
  OpenReport* first = nullptr;
  std::vector<OpenReport*> later;
  for (OpenReport* open : queue_.open_of_host(record)) {
    if (open->report.kills.empty() || open->state != ReportState::kKilled || open->caller != record.caller ||
        !within(open->killed_at, record.stamp, kGroupWindow)) {
      continue;
    }
    if (!first && killed(open->report, line.pid)) {
      first = open;
    } else if (!open->report.oom_group.empty() && !first) {
      first = open;
    } else if (first && open->bare) {
      later.push_back(open);
    }
  }
  if (!first) return false;
  for (OpenReport* open : later) {
    for (KillLine& kill : open->report.kills) {
      if (killed(first->report, kill.pid)) continue;
      kill.group_member = true;
      add_kill(*first, record, std::move(kill));
    }
    queue_.discard(*open);
  }
  if (!killed(first->report, line.pid) && !line.already_exiting) {
    line.group_member = true;
    add_kill(*first, record, std::move(line));
  }
  queue_.touch(*first, record);
  return true;
}

void Assembler::on_group(const LogRecord& record, const std::string& path) {
  OpenReport* open = queue_.current(record);
  // The kernel announces a group right behind the kill that it was chosen with.
  const bool late = open && open->state == ReportState::kKilled &&
                    (open->report.kills.empty() || !within(open->killed_at, record.stamp, kAtOnce));
  if (!open || late || !open->report.oom_group.empty()) open = &begin(record);
  open->report.oom_group = path;
  queue_.touch(*open, record);
}

void Assembler::on_no_killable(const LogRecord& record) {
  OpenReport& open = fragment(record);
  open.report.ended_by = EndedBy::kNoKillable;
  open.state = ReportState::kKilled;
  open.killed_at = record.stamp;
  queue_.touch(open, record);
}

bool Assembler::on_panic(const LogRecord& record) {
  const std::string_view s = record.message;
  const bool ours = contains(s, "ut of memory") || contains(s, "deadlocked on memory");
  if (!ours || contains(s, "---[ end")) return false;
  OpenReport* open = queue_.current(record);
  const bool waits = open && (open->state == ReportState::kCollecting || open->report.ended_by == EndedBy::kNoKillable);
  if (!waits) open = &begin(record);
  if (open->report.ended_by != EndedBy::kNoKillable) open->report.ended_by = EndedBy::kPanic;
  open->report.panic = s;
  open->report.global_panic =
      contains(s, "deadlocked") || contains(s, "system-wide") || contains(s, "no killable processes");
  queue_.touch(*open, record);
  queue_.close(*open);
  if (auto note = parse_note(record)) queue_.add(std::move(*note));
  return true;
}

void Assembler::on_reaped(const LogRecord& record, const ReapedLine& line) {
  OpenReport* open = queue_.killer_of(record, line.pid);
  if (open && open->report.reaped.size() < kMaxKills) open->report.reaped.push_back(line.pid);
  Note note;
  note.kind = NoteKind::kReaped;
  note.message = record.message;
  note.host = record.host;
  note.boot_id = record.boot_id;
  note.stamp = record.stamp;
  note.pid = line.pid;
  note.comm = line.comm;
  note.anon_rss_kb = line.anon_rss_kb;
  note.file_rss_kb = line.file_rss_kb;
  note.shmem_rss_kb = line.shmem_rss_kb;
  queue_.add(std::move(note));
}

}  // namespace oomtrace::kernel_log
