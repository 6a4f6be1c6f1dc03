// SPDX-License-Identifier: Apache-2.0
// The lines that name the trigger.
#include "kernel_log/trigger_lines.h"

#include <algorithm>

#include "kernel_log/clean_line.h"
#include "kernel_log/scan.h"

namespace oomtrace::kernel_log {
namespace {

constexpr std::size_t kMaxComm = 15;  // TASK_COMM_LEN - 1

// What stands between two marks; empty if they are not there.
std::string_view between(std::string_view s, std::string_view begin, std::string_view end) {
  const auto rest = after(s, begin);
  if (!rest) return {};
  return rest->substr(0, rest->find(end));
}

bool looks_like_release(std::string_view word) {
  return word.size() >= 3 && is_digit(word.front()) && contains(word, ".") && !ends_cut(word);
}

// Console output may share the line: what stands in front of an embedded stamp is not the kernel's.
std::string_view behind_stamp(std::string_view before) {
  const auto close = before.rfind("] ");
  if (close == before.npos) return before;
  const auto open = before.rfind('[', close);
  if (open == before.npos || close - open < 8) return before;
  for (const char c : before.substr(open + 1, close - open - 1)) {
    if (!is_digit(c) && c != '.' && c != ' ') return before;
  }
  return before.substr(close + 2);
}

}  // namespace

std::optional<TriggerLine> parse_invoked(std::string_view message) {
  TriggerLine line;
  std::string_view rest;
  if (const auto at = message.find(" invoked oom-killer"); at != message.npos) {
    std::string_view comm = behind_stamp(message.substr(0, at));
    // A prefix of a form that is not known stands before the name: the last word is the best that is left.
    if (comm.size() > 4 * kMaxComm) comm = comm.substr(comm.rfind(' ') + 1);
    line.comm = unescape(comm);
    if (line.comm.size() > kMaxComm) line.comm.erase(0, line.comm.rfind(' ') + 1);
    rest = message.substr(at + 19);
  } else if (message.starts_with("oom-killer: gfp") || contains(message, " oom-killer: gfp_mask=0x")) {
    rest = message.substr(message.find("oom-killer:") + 11);
  } else {
    return std::nullopt;
  }
  line.invoked = true;
  auto mask = after(rest, "gfp_mask=0x");
  if (!mask) mask = after(rest, "gfp=0x");
  if (mask) {
    line.gfp_mask = take_hex(*mask);
    if (take(*mask, '(')) {
      const auto close = mask->find(')');
      if (close != mask->npos) {
        line.gfp_names = mask->substr(0, close);
        std::erase(line.gfp_names, ' ');
      }
    }
  }
  line.order = number_after<std::int32_t>(rest, "order=");
  if (const auto nodes = between(rest, "nodemask=", ", "); nodes != "(null)") line.nodemask = nodes;
  line.oom_score_adj = number_after<std::int32_t>(rest, "oom_score_adj=");
  line.oom_adj = number_after<std::int32_t>(rest, "oom_adj=");
  if (!line.oom_adj) line.oom_adj = number_after<std::int32_t>(rest, "oomkilladj=");
  return line;
}

std::optional<HeaderLine> parse_header(std::string_view message) {
  HeaderLine line;
  std::string_view rest;
  if (const auto pid = message.find("PID: "); pid != message.npos && contains(message, "CPU: ")) {
    rest = message.substr(pid + 5);
  } else if (const auto old = message.find("Pid: "); old != message.npos) {
    rest = message.substr(old + 5);
  } else {
    return std::nullopt;
  }
  const auto tid = take_number<std::uint32_t>(rest);
  if (!tid) return std::nullopt;
  line.tid = *tid;
  auto comm = after(rest, "Comm: ");
  if (!comm) comm = after(rest, "comm: ");
  if (!comm) return std::nullopt;
  auto end = comm->npos;
  for (const std::string_view mark : {" Not tainted", " Tainted:", " Kdump:", " Not\n"})
    end = std::min(end, comm->find(mark));
  if (end == comm->npos && comm->ends_with(" Not")) end = comm->size() - 4;
  line.comm = unescape(trim(comm->substr(0, end)));
  if (line.comm.size() > 2 * kMaxComm) line.comm.resize(2 * kMaxComm);
  if (end == comm->npos) return line;
  std::string_view state = comm->substr(end);
  while (!(state = trim_front(state)).empty()) {
    const std::string_view word = take_word(state);
    if (word.starts_with('#')) break;
    if (looks_like_release(word)) {
      line.release = word;
      break;
    }
  }
  return line;
}

std::optional<CpusetLine> parse_cpuset(std::string_view message) {
  const auto at = message.find(" cpuset=");
  if (at == message.npos || at > 64 || contains(message, "oom-kill:")) return std::nullopt;
  const auto mems = message.find(" mems_allowed=", at);
  if (mems == message.npos) return std::nullopt;
  std::string_view allowed = message.substr(mems + 14);
  return CpusetLine{std::string(trim(message.substr(0, at))), std::string(message.substr(at + 8, mems - at - 8)),
                    std::string(take_word(allowed))};
}

std::optional<std::string> parse_frame(std::string_view message) {
  std::string_view s = trim_front(message);
  // klogd resolved names itself: "[nfs:schedule+0x217/0x6b0] schedule+0x217/0x630".
  if (const auto close = s.find("] "); s.starts_with('[') && close != s.npos && contains(s.substr(0, close), "+0x"))
    s.remove_prefix(close + 2);
  const auto plus = s.find("+0x");
  if (plus == s.npos || plus == 0) return std::nullopt;
  std::string_view sizes = s.substr(plus + 3);
  if (!take_hex(sizes) || !take(sizes, "/0x") || !take_hex(sizes)) return std::nullopt;
  std::string_view name = s.substr(0, plus);
  if (const auto space = name.rfind(' '); space != name.npos) {
    const std::string_view head = name.substr(0, space + 1);
    name.remove_prefix(space + 1);
    if (head.ends_with("? ")) return std::string();
    take(name, '(');  // arm: "[<c0010f7c>] (dump_backtrace+0x0/0x110) from ..."
    // Nothing but addresses in brackets may stand before the name.
    for (const char c : head) {
      if (!is_hex(c) && c != '[' && c != ']' && c != '<' && c != '>' && c != '(' && c != ' ' && c != 'x')
        return std::nullopt;
    }
  }
  for (const char c : name) {
    if (!is_alpha(c) && !is_digit(c) && c != '_' && c != '.' && c != '$') return std::nullopt;
  }
  return std::string(name.substr(0, 128));
}

std::optional<BootLine> parse_boot(std::string_view message) {
  std::string_view s = message;
  if (!take(s, "Linux version ")) return std::nullopt;
  const std::string_view release = take_word(s);
  if (!looks_like_release(release)) return std::nullopt;
  const auto hash = s.rfind(" #");
  return BootLine{std::string(release), std::string(hash == s.npos ? std::string_view() : s.substr(hash + 1))};
}

}  // namespace oomtrace::kernel_log
