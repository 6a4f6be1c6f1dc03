// SPDX-License-Identifier: Apache-2.0
// Puts messages together again that were broken over several lines.
#include "kernel_log/line_joiner.h"

#include <initializer_list>

#include "kernel_log/scan.h"
#include "kernel_log/task_table.h"

namespace oomtrace::kernel_log {
namespace {

constexpr std::size_t kMaxMessage = 16 * 1024;  // the longest holds three paths

bool starts_with_any(std::string_view s, std::initializer_list<std::string_view> words) {
  for (const auto word : words) {
    if (s.starts_with(word)) return true;
  }
  return false;
}
bool contains_any(std::string_view s, std::initializer_list<std::string_view> words) {
  for (const auto word : words) {
    if (contains(s, word)) return true;
  }
  return false;
}

// No number has a zero in front, and no oom_score_adj is beyond 1000: two that would make one are two lines.
bool is_plausible(std::string_view field) {
  std::string_view digits = field.substr(field.find_first_of(":=") + 1);
  take(digits, '-');
  if (digits.size() > 1 && digits.front() == '0' && is_digit(digits[1])) return false;
  const auto value = take_number<std::uint64_t>(digits);
  return value && (!contains(field, "_adj") || *value <= 1000);
}

// A terminal breaks in the middle of words: the two halves make one of these.
bool makes_word(std::string_view message, std::string_view next, std::initializer_list<std::string_view> words) {
  const auto blank = message.rfind(' ');
  const std::string_view half = blank == message.npos ? message : message.substr(blank + 1);
  if (half.empty() || half.ends_with(',') || half.ends_with("kB")) return false;
  const std::string_view first = next.substr(0, next.find(' '));
  const std::string whole = std::string(half) + std::string(first);
  // The rest of a number, or of its unit.
  std::string_view rest = first;
  while (!rest.empty() && is_digit(rest.front())) rest.remove_prefix(1);
  const bool number = (rest.empty() && first.size() == next.size()) || rest == "," || rest == "kB" || rest == "kB,";
  for (const auto word : words) {
    if (whole.starts_with(word) && (!half.starts_with(word) || (number && is_plausible(whole)))) return true;
  }
  return false;
}

bool continues_invoked(std::string_view message, std::string_view next) {
  if (!contains_any(message, {"oom_score_adj=", "oom_adj=", "oomkilladj="}) || message.ends_with(',')) {
    if (starts_with_any(next, {"gfp_mask=", "order=", "oom_score_adj=", "oom_adj=", "oomkilladj=", "nodemask="}))
      return true;
  }
  return message.ends_with('|') || next.starts_with('|');
}

// "Kill(ed) process", "Out of memory", "oom_reaper: reaped": a row of named values.
bool continues_kill(std::string_view message, std::string_view next) {
  if (starts_with_any(
          next, {"total-vm:", "anon-rss:", "file-rss:", "shmem-rss:", "UID:", "pgtables:", "oom_score_adj:", "rss:",
                 "vsz:", "score ", "sacrifice child", "or sacrifice", "or a child", "now anon-rss", "anon-"})) {
    return true;
  }
  if (starts_with_any(next, {"process ", "Killed process", "Kill process"}) && !contains(message, " process "))
    return true;
  if (message.ends_with("process")) return is_digit(next.front());
  const bool opened = contains(message, "(") && message.find(')') == message.npos;
  if (opened) return contains(next, ")");
  return next.starts_with('(') && (contains(message, "process ")) && !contains(message, "(");
}

bool is_header(std::string_view s) { return contains(s, "Comm: ") || (contains(s, "Pid: ") && contains(s, "comm: ")); }

bool continues_header(std::string_view message, std::string_view next) {
  if (contains(message, " #") || next.size() > 160 || next.empty()) return false;
  if (starts_with_any(next, {"Hardware", "Call", "Workqueue", "[", "RIP", "EIP", "...", "<"})) return false;
  return contains(next, "#") || next.starts_with("tainted") || next.starts_with("Tainted");
}

bool continues_table_header(std::string_view message, std::string_view next) {
  return !contains(message, " name") && starts_with_any(next, {"swapents", "oom_score_adj", "oom_adj", "name", "rss",
                                                               "pgtables", "nr_p", "cpu", "tgid", "total_vm"});
}

}  // namespace

Join continues(std::string_view message, std::string_view next) {
  const auto when = [](bool joins) { return joins ? Join::kBlank : Join::kNo; };
  if (next.empty() || message.size() + next.size() > kMaxMessage) return Join::kNo;
  if (message.empty()) return Join::kBlank;
  // Lines of the kernel that are whole, though they lost what stood before them.
  if (contains_any(next, {" invoked oom-killer: ", "oom-kill:constraint=", "Tasks state (memory", "Mem-Info:"}))
    return Join::kNo;
  if (message.ends_with("anon-") || message.ends_with("file-") || message.ends_with("shmem-")) {
    return next.starts_with("rss:") ? Join::kDirect : Join::kNo;
  }
  if (contains(message, "oom-kill:constraint=")) {
    const bool open = !contains(message, ",uid=") && !contains(next, "oom-kill:") && !contains(next, " ");
    if (open && contains_any(next, {"pid=", "task=", "uid=", "task_memcg=", "oom_memcg="})) return Join::kDirect;
    if (open && next.size() >= 40 && contains(next, "/")) return Join::kDirect;
    return open && starts_with_any(next, {"nodemask=", "cpuset=", "mems_allowed=", "oom_memcg=", "global_oom",
                                          "task_memcg=", "task=", "pid=", "uid="})
               ? Join::kDirect
               : Join::kNo;
  }
  if (contains(message, "oom-killer")) {
    const auto open = message.rfind('(');
    if (open != message.npos && message.find(')', open) == message.npos && next.substr(0, 120).find(')') != next.npos &&
        !contains(next, "(")) {
      return Join::kDirect;
    }
    if (makes_word(message, next, {"order=", "oom_score_adj=", "oom_adj=", "gfp_mask="})) return Join::kDirect;
    return when(continues_invoked(message, next));
  }
  if (message.ends_with(" invoked")) return when(next.starts_with("oom-killer"));
  if (contains_any(message, {"illed process", "ill process", "ut of memory", "oom_reaper: reaped", "OOM victim"}) ||
      message.ends_with(" Killed")) {
    if (makes_word(message, next,
                   {"total-vm:", "anon-rss:", "file-rss:", "shmem-rss:", "UID:", "pgtables:", "oom_score_adj:"})) {
      return Join::kDirect;
    }
    return when(continues_kill(message, next));
  }
  if (is_header(message)) return when(continues_header(message, next));
  if (contains(message, "total_vm")) return when(continues_table_header(message, next));
  if (contains(message, ": usage ") && !contains(message, "failcnt")) {
    return when(is_digit(next.front()) || starts_with_any(next, {"limit ", "failcnt "}));
  }
  if (message.starts_with("Tasks in ") && !contains(message, "oom.group")) {
    return when(starts_with_any(
        next, {"are going", "going", "to be killed", "be killed", "killed", "due to", "memory.oom.group"}));
  }
  if (message.starts_with("Task in ") && !contains(message, "limit of /")) {
    return when(starts_with_any(next, {"killed as", "as a", "a result", "result of", "of limit", "limit of", "/"}));
  }
  if (message.ends_with("cgroup stats for")) return when(next.starts_with('/'));
  if (is_unfinished_row(message)) {
    if (is_digit(next.front()) || next.front() == '-') return Join::kBlank;
    return when(row_lacks_only_name(message) && next.front() != '[' && next.size() <= 24 && !contains(next, ":"));
  }
  return Join::kNo;
}

void LineJoiner::on_record(const LogRecord& record) {
  if (holding_) {
    std::string_view next = record.message;
    // A name with a newline in it: dmesg gives the rest of the record the same stamp.
    const bool same_record = record.prefixed && record.stamp.known() && record.stamp == held_.stamp &&
                             contains(message_, " process ") && contains(message_, "(") && !contains(message_, ")") &&
                             contains(next, ") total-vm:");
    if (!record.prefixed) next = trim_front(next);
    const Join join = same_record ? Join::kDirect : record.prefixed ? Join::kNo : continues(message_, next);
    if (join != Join::kNo) {
      if (same_record) message_ += '\n';
      if (join == Join::kBlank && !message_.empty()) message_ += ' ';
      message_ += next;
      held_.message = message_;
      return;
    }
    if (!record.prefixed && next.empty() && !message_.empty()) return;  // blank lines between the parts
    flush();
  }
  hold(record);
}

void LineJoiner::hold(const LogRecord& record) {
  held_ = record;
  message_ = record.message;
  host_ = record.host;
  ident_ = record.ident;
  caller_ = record.caller;
  boot_id_ = record.boot_id;
  held_.message = message_;
  held_.host = host_;
  held_.ident = ident_;
  held_.caller = caller_;
  held_.boot_id = boot_id_;
  holding_ = true;
}

void LineJoiner::flush() {
  if (!holding_) return;
  holding_ = false;
  next_.on_record(held_);
}

}  // namespace oomtrace::kernel_log
