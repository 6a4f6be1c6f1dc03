// SPDX-License-Identifier: Apache-2.0
// The lines that name a victim.
#include "kernel_log/kill_lines.h"

#include "kernel_log/clean_line.h"
#include "kernel_log/scan.h"

namespace oomtrace::kernel_log {
namespace {

KillMessage message_kind(std::string_view before) {
  if (contains(before, "emory cgroup out of memory")) return KillMessage::kMemcg;
  if (contains(before, "(MPOL_BIND)")) return KillMessage::kMempolicy;
  if (contains(before, "available memory in cpuset")) return KillMessage::kCpuset;
  if (contains(before, "ut of memory") || contains(before, "ut of Memory")) return KillMessage::kGlobal;
  return KillMessage::kNone;
}

struct Named {
  std::uint32_t pid = 0;
  std::string comm;
  std::string_view rest;  // behind the name's bracket
  Opt<std::uint32_t> uid;
};

// "N (COMM)...", "N, UID U, (COMM)...", ":N (COMM)": the name ends at the last bracket before what must follow it.
std::optional<Named> parse_named(std::string_view s, std::initializer_list<std::string_view> followers) {
  Named named;
  s = trim_front(s);
  take(s, ':');
  const auto pid = take_number<std::uint32_t>(s);
  if (!pid || *pid == 0) return std::nullopt;
  named.pid = *pid;
  if (take(s, ", UID ")) {
    named.uid = take_number<std::uint32_t>(s);
    take(s, ',');
  }
  named.rest = s;
  s = trim_front(s);
  if (!take(s, '(')) return named;
  auto close = s.npos;
  for (const auto follower : followers) {
    const auto at = s.rfind(follower);
    if (at != s.npos && (close == s.npos || at > close)) close = at;
  }
  if (close == s.npos) close = s.rfind(')');
  if (close == s.npos) return named;
  named.comm = unescape(s.substr(0, close));
  named.rest = s.substr(close + 1);
  return named;
}

}  // namespace

std::optional<KillLine> parse_killed(std::string_view message) {
  KillLine line;
  std::optional<Named> named;
  std::string_view before;
  if (const auto at = message.find("Killed process "); at != message.npos) {
    before = message.substr(0, at);
    named = parse_named(message.substr(at + 15), {") total-vm:", ") vsz:", ") anon-rss:", "), UID", ").", ") ...."});
  } else if (const auto victim = message.find("OOM victim "); victim != message.npos) {
    if (!contains(message, "already exiting")) return std::nullopt;
    before = message.substr(0, victim);
    named = parse_named(message.substr(victim + 11), {") is already"});
    line.already_exiting = true;
  }
  if (!named) return std::nullopt;
  line.message = message_kind(before);
  line.allocating_task = contains(before, "oom_kill_allocating_task");
  line.sharers_follow = contains(before, "ut of Memory");
  line.pid = named->pid;
  line.comm = named->comm;
  const std::string_view values = named->rest;
  line.uid = named->uid;
  if (!line.uid && !contains(values, "UID:00")) line.uid = number_after<std::uint32_t>(values, "UID:");
  if (!line.uid) line.uid = number_after<std::uint32_t>(values, ", UID ");
  line.total_vm_kb = kb_after(values, "total-vm:");
  if (!line.total_vm_kb) line.total_vm_kb = kb_after(values, "vsz:");
  line.anon_rss_kb = kb_after(values, "anon-rss:");
  line.file_rss_kb = kb_after(values, "file-rss:");
  line.shmem_rss_kb = kb_after(values, "shmem-rss:");
  line.pgtables_kb = kb_after(values, "pgtables:");
  line.oom_score_adj = number_after<std::int32_t>(values, "oom_score_adj:");
  return line;
}

std::optional<SelectionLine> parse_selection(std::string_view message) {
  auto at = message.find("Kill process ");
  if (at == message.npos) at = message.find("kill process ");
  if (at == message.npos) return std::nullopt;
  const auto named = parse_named(message.substr(at + 13), {") score "});
  if (!named || contains(named->rest, "sharing same memory")) return std::nullopt;
  SelectionLine line;
  const std::string_view before = message.substr(0, at);
  line.message = message_kind(before);
  line.allocating_task = contains(before, "oom_kill_allocating_task");
  // Without its head the line would be any program's "kill process 12".
  line.score = number_after<std::uint64_t>(named->rest, "score ");
  if (line.message == KillMessage::kNone && !line.score) return std::nullopt;
  line.pid = named->pid;
  line.comm = named->comm;
  return line;
}

std::optional<ConstraintLine> parse_constraint(std::string_view message) {
  auto rest = after(message, "oom-kill:constraint=");
  if (!rest) return std::nullopt;
  ConstraintLine line;
  line.seen = true;
  std::string_view s = *rest;
  const bool cut = ends_cut(s);
  if (cut) {
    // The last value is not whole; it goes with what was cut off behind it.
    const auto comma = s.rfind(',');
    s = comma == s.npos ? std::string_view() : s.substr(0, comma);
  }
  if (const auto uid = s.rfind(",uid="); uid != s.npos) {
    std::string_view digits = s.substr(uid + 5);
    line.uid = take_number<std::uint32_t>(digits);
    s = s.substr(0, uid);
  }
  if (const auto pid = s.rfind(",pid="); pid != s.npos) {
    std::string_view digits = s.substr(pid + 5);
    line.pid = take_number<std::uint32_t>(digits);
    s = s.substr(0, pid);
  }
  if (const auto task = s.rfind(",task="); task != s.npos) {
    line.comm = unescape(s.substr(task + 6));
    s = s.substr(0, task);
  }
  if (const auto memcg = s.rfind(",task_memcg="); memcg != s.npos) {
    line.task_memcg = s.substr(memcg + 12);
    s = s.substr(0, memcg);
  }
  line.constraint = s.substr(0, s.find(','));
  s.remove_prefix(line.constraint.size());
  if (const auto memcg = s.find(",oom_memcg="); memcg != s.npos) {
    line.oom_memcg = s.substr(memcg + 11);
    s = s.substr(0, memcg);
  } else if (const auto global = s.find(",global_oom"); global != s.npos) {
    line.global_oom = true;
    s = s.substr(0, global);
  }
  if (const auto mems = s.rfind(",mems_allowed="); mems != s.npos) {
    line.mems_allowed = s.substr(mems + 14);
    s = s.substr(0, mems);
  }
  if (const auto cpuset = s.find(",cpuset="); cpuset != s.npos) {
    line.cpuset = s.substr(cpuset + 8);
    s = s.substr(0, cpuset);
  }
  if (take(s, ",nodemask=") && s != "(null)") line.nodemask = s;
  return line;
}

std::optional<ConstraintLine> parse_limit_of(std::string_view message) {
  ConstraintLine line;
  std::string_view s = message;
  if (const auto limit = s.find(" killed as a result of limit of "); limit != s.npos) {
    const auto task = after(s.substr(0, limit), "Task in ");
    if (!task) return std::nullopt;
    line.task_memcg = *task;
    line.oom_memcg = s.substr(limit + 32);
  } else if (const auto reached = after(s, "Memory limit reached of cgroup ")) {
    line.oom_memcg = *reached;
  } else {
    return std::nullopt;
  }
  if (ends_cut(line.oom_memcg)) line.oom_memcg.clear();
  return line;
}

std::optional<std::string> parse_group(std::string_view message) {
  const auto end = message.find(" are going to be killed due to memory.oom.group set");
  const auto begin = message.find("Tasks in ");
  if (end == message.npos || begin == message.npos || begin + 9 > end) return std::nullopt;
  return std::string(message.substr(begin + 9, end - begin - 9));
}

std::optional<ReapedLine> parse_reaped(std::string_view message) {
  const auto rest = after(message, "oom_reaper: reaped process ");
  if (!rest) return std::nullopt;
  const auto named = parse_named(*rest, {"), now", ") anon-rss"});
  if (!named) return std::nullopt;
  return ReapedLine{named->pid, named->comm, kb_after(named->rest, "anon-rss:"), kb_after(named->rest, "file-rss:"),
                    kb_after(named->rest, "shmem-rss:")};
}

std::optional<SharerLine> parse_sharer(std::string_view message) {
  const auto rest = after(message, "ill process ");
  if (!rest || !contains(*rest, ") sharing same memory")) return std::nullopt;
  const auto named = parse_named(*rest, {") sharing same memory"});
  if (!named) return std::nullopt;
  return SharerLine{named->pid, named->comm};
}

}  // namespace oomtrace::kernel_log
