// SPDX-License-Identifier: Apache-2.0
// What a log says beside its OOM reports.
#include "kernel_log/note.h"

#include <array>
#include <csignal>
#include <string_view>
#include <utility>

#include "kernel_log/clean_line.h"
#include "kernel_log/scan.h"

namespace oomtrace::kernel_log {
namespace {

using Text = std::string_view;

// "comm[123]" at the end of `head`, where a comm may hold blanks.
bool set_process(Note& note, Text head) {
  head = trim(head);
  if (!head.ends_with(']')) return false;
  const auto open = head.rfind('[');
  if (open == head.npos || open == 0) return false;
  Text digits = head.substr(open + 1);
  const auto pid = take_number<std::uint32_t>(digits);
  if (!pid || digits != "]") return false;
  note.pid = *pid;
  note.comm = unescape(head.substr(0, open));
  return note.comm.size() <= 64;
}

// show_signal_msg(), do_trap() of x86; "comm[1]: unhandled level 2 translation fault (11) at" of arm64; "comm[1]:
// segfault (11) at", "comm[1]: unhandled signal 11 at" of powerpc.
bool parse_fault(Text message, Note& note) {
  Text s = message;
  note.kind = NoteKind::kFault;
  if (take(s, "traps: ")) {
    static constexpr std::array<std::pair<Text, int>, 7> kTraps{{{" general protection", SIGSEGV},
                                                                 {" trap invalid opcode", SIGILL},
                                                                 {" trap divide error", SIGFPE},
                                                                 {" trap int3", SIGTRAP},
                                                                 {" trap stack segment", SIGBUS},
                                                                 {" trap alignment check", SIGBUS},
                                                                 {" trap coprocessor segment overrun", SIGFPE}}};
    for (const auto& [words, signal] : kTraps) {
      if (const auto at = s.find(words); at != s.npos) {
        note.signal = signal;
        return set_process(note, s.substr(0, at));
      }
    }
    return false;
  }
  for (const Text words : {": segfault at ", "] general protection"}) {
    if (const auto at = s.find(words); at != s.npos) {
      note.signal = SIGSEGV;
      return set_process(note, s.substr(0, words.front() == ']' ? at + 1 : at));
    }
  }
  for (const Text words : {": unhandled signal ", ": segfault (", ": unhandled "}) {
    const auto at = s.find(words);
    if (at == s.npos) continue;
    Text rest = s.substr(at + words.size());
    if (words.ends_with("unhandled ")) {
      const auto bracket = rest.find(" (");
      if (bracket == rest.npos) return false;
      rest.remove_prefix(bracket + 2);
    }
    const auto signal = take_number<std::int32_t>(rest);
    if (!signal || *signal < 1 || *signal > 64) return false;
    note.signal = *signal;
    return set_process(note, s.substr(0, at));
  }
  return false;
}

// "NAME:PID " as memory-failure.c and arch fault code print it.
bool set_colon_process(Note& note, Text s) {
  const auto end = s.find(" due to ");
  Text head = s.substr(0, end == s.npos ? s.find(" because of ") : end);
  const auto colon = head.rfind(':');
  if (colon == head.npos) return false;
  Text digits = head.substr(colon + 1);
  const auto pid = take_number<std::uint32_t>(digits);
  if (!pid || !digits.empty()) return false;
  note.pid = *pid;
  note.comm = unescape(head.substr(0, colon));
  return true;
}

bool parse_hardware_kill(Text message, Note& note) {
  note.kind = NoteKind::kSignal;
  note.signal = SIGBUS;
  if (const auto rest = after(message, "MCE: Killing ")) return set_colon_process(note, *rest);
  if (!contains(message, "Memory failure: ")) return false;
  if (const auto rest = after(message, "Sending SIGBUS to ")) return set_colon_process(note, *rest);
  note.signal = SIGKILL;
  const auto rest = after(message, "forcibly killing ");
  return rest && set_colon_process(note, *rest);
}

// "Killing 'NAME' (PID), adj N" of Android's drivers/staging/android/lowmemorykiller.c.
bool parse_low_memory_killer(Text message, Note& note) {
  const auto rest = after(message, "lowmemorykiller: Killing '");
  if (!rest) return false;
  Text s = *rest;
  const auto end = s.find("' (");
  if (end == s.npos) return false;
  note.comm = unescape(s.substr(0, end));
  s.remove_prefix(end + 3);
  const auto pid = take_number<std::uint32_t>(s);
  note.kind = NoteKind::kSignal;
  note.signal = SIGKILL;
  note.pid = pid.value_or(0);
  return pid.has_value();
}

// earlyoom: 'sending SIGTERM to process 12 uid 1000 "name": oom_score 900, VmRSS 12 MiB'; before 1.3 'Killing process
// 12 name'. nohang: 'Sending SIGKILL to the victim...' names nobody and stays a line.
bool parse_daemon_kill(Text message, const LogRecord& record, Note& note) {
  auto rest = after(message, "ending SIGTERM to process ");
  note.signal = SIGTERM;
  if (!rest) {
    rest = after(message, "ending SIGKILL to process ");
    note.signal = SIGKILL;
  }
  if (!rest && record.ident == "earlyoom") rest = after(message, "illing process ");
  if (!rest) return false;
  Text s = *rest;
  const auto pid = take_number<std::uint32_t>(s);
  if (!pid || *pid == 0) return false;
  note.kind = NoteKind::kSignal;
  note.pid = *pid;
  if (const auto quoted = after(s, "\"")) {
    note.comm = unescape(quoted->substr(0, quoted->find('"')).substr(0, 64));
  } else if (const auto named = trim_front(s); named.starts_with('\'')) {
    note.comm = unescape(named.substr(1, named.find('\'', 1) - 1).substr(0, 64));
  }
  note.sender_comm = record.ident.empty() ? "earlyoom" : record.ident;
  note.sender_pid = record.ident_pid.value_or(0);
  return true;
}

bool parse_lost(Text message, Note& note) {
  note.kind = NoteKind::kLost;
  if (contains(message, "callbacks suppressed")) {
    const bool ours = message.starts_with("oom_kill_process") || message.starts_with("dump_header") ||
                      message.starts_with("out_of_memory") || message.starts_with("mem_cgroup");
    note.lost = number_after<std::uint64_t>(message, ": ").value_or(1);
    return ours;
  }
  for (const Text words : {"printk messages dropped", "messages dropped", "kernel messages", "messages lost"}) {
    const auto at = message.find(words);
    if (at == message.npos) continue;
    Text head = trim(message.substr(0, at));
    head = head.substr(head.rfind(' ') + 1);
    note.lost = take_number<std::uint64_t>(head).value_or(1);
    return words != "kernel messages" || contains(message, "Missed ");
  }
  return contains(message, "/dev/kmsg buffer overrun");
}

bool worth_keeping(Text message, const LogRecord& record) {
  if (record.foreign) {
    return contains(message, "killed by the OOM killer") || contains(message, "OOM killer killed") ||
           contains(message, "'oom-kill'") || contains(message, "status=9/KILL") ||
           contains(message, "systemd-oomd killed") ||
           ((message.starts_with("Killed ") || message.starts_with("Marked ")) && contains(message, "due to memory")) ||
           (record.ident == "earlyoom" && contains(message, "ow memory!"));
  }
  return contains(message, "page allocation failure") || contains(message, "page allocation stalls") ||
         contains(message, "oom_reaper: unable") || contains(message, "mm pinned by") ||
         contains(message, "OOM victim ") || contains(message, "OOM request ignored") ||
         message.starts_with("Kernel panic - not syncing") || contains(message, "fatal signal ") ||
         contains(message, "no reclaimable memory") || contains(message, "Manual OOM execution") ||
         contains(message, "is killed by signal: ") || contains(message, "memory.oom.group set");
}

}  // namespace

std::optional<Note> parse_note(const LogRecord& record) {
  Note note;
  const Text s = record.message;
  const bool found = (!record.foreign && (parse_fault(s, note) || parse_hardware_kill(s, note))) ||
                     parse_low_memory_killer(s, note) || parse_daemon_kill(s, record, note) || parse_lost(s, note);
  if (!found) {
    if (!worth_keeping(s, record)) return std::nullopt;
    note = {};
  }
  if (record.foreign) {
    note.message = record.ident;
    note.message += ": ";
    note.other_program = true;
  }
  note.message += s.substr(0, 1024);
  note.host = record.host;
  note.boot_id = record.boot_id;
  note.stamp = record.stamp;
  note.priority = record.priority;
  note.kmsg_seq = record.kmsg_seq;
  return note;
}

}  // namespace oomtrace::kernel_log
