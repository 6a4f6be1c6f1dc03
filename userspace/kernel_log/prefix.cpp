// SPDX-License-Identifier: Apache-2.0
// Strips what stands in front of a kernel message in a text log.
#include "kernel_log/prefix.h"

#include <array>

#include "kernel_log/scan.h"
#include "kernel_log/timestamp.h"

namespace oomtrace::kernel_log {
namespace {

constexpr std::size_t kMaxHost = 255;
constexpr std::size_t kMaxTag = 64;

// First words of kernel messages that could be mistaken for a host name or a tag.
bool is_kernel_word(std::string_view s) {
  static constexpr std::array<std::string_view, 40> kWords{
      "oom-killer:", "oom_reaper:",   "memory:",     "memory+swap:", "swap:",  "kmem:",   "Mem-Info:",    "Mem-info:",
      "Out of ",     "Memory cgroup", "Memory fail", "Killed ",      "Kill ",  "Tasks ",  "Task ",        "Call Trace",
      "CPU:",        "CPU ",          "Pid:",        "Hardware ",    "Node ",  "DMA:",    "DMA ",         "DMA32",
      "Normal:",     "Normal ",       "HighMem",     "Kernel ",      "sysrq:", "SysRq",   "Workqueue:",   "MCE:",
      "RIP:",        "EIP:",          "traps:",      "Free ",        "Total ", "lowmem_", "No available", "VM: "};
  for (const auto word : kWords) {
    if (begins(s, word)) return true;
  }
  return s.starts_with('[') || s.starts_with("oom-kill");
}

bool is_host_char(char c) {
  return is_alpha(c) || is_digit(c) || c == '.' || c == '-' || c == '_' || c == ':' || c == '*' || c == '@' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_kernel_ident(std::string_view ident) {
  return ident == "kernel" || ident == "klogd" || ident == "kmsg" || ident == "dmesg" || ident == "vmunix";
}

struct Tag {
  std::string_view ident;
  std::optional<std::uint32_t> pid;
};

// "kernel: ", "systemd[1]: ", "kernel:[  12.3]".
bool take_tag(std::string_view& s, Tag& tag) {
  std::string_view t = s;
  std::size_t n = 0;
  while (n < t.size() && n <= kMaxTag && !is_blank(t[n]) && t[n] != ':' && t[n] != '[') ++n;
  if (n == 0 || n > kMaxTag) return false;
  Tag found{t.substr(0, n), std::nullopt};
  t.remove_prefix(n);
  if (take(t, '[')) {
    found.pid = take_number<std::uint32_t>(t);
    const auto close = t.find(']');
    if (close == t.npos || close > 24) return false;
    t.remove_prefix(close + 1);
  }
  if (!take(t, ':')) return false;
  if (!t.empty() && !is_blank(t.front()) && !(t.front() == '[' && is_kernel_ident(found.ident))) return false;
  take(t, ' ');
  tag = found;
  s = t;
  return true;
}

void set_tag(LogRecord& record, const Tag& tag) {
  if (is_kernel_ident(tag.ident)) {
    record.foreign = false;
    return;
  }
  record.ident = tag.ident;
  record.ident_pid = tag.pid;
  record.foreign = true;
}

// Behind a syslog-like stamp: "host tag: ", "tag: ", or, before what can only be the kernel's, "host ".
void take_host_and_tag(std::string_view& s, LogRecord& record) {
  s = trim_front(s);
  Tag tag;
  std::string_view t = s;
  if (is_kernel_word(s)) return;
  if (take_tag(t, tag) && !is_kernel_word(s)) {
    set_tag(record, tag);
    s = t;
    return;
  }
  t = s;
  const std::string_view host = take_word(t);
  if (host.empty() || host.size() > kMaxHost) return;
  for (const char c : host) {
    if (!is_host_char(c)) return;
  }
  t = trim_front(t);
  const bool facility = host.starts_with("kern.");  // OpenWrt has it where others have the host
  const bool bare = is_kernel_word(t);
  if (!bare && !take_tag(t, tag)) {
    // BusyBox: "host kern.warn kernel: ".
    const auto behind = after(t.substr(0, 48), " kernel: ");
    if (!behind) return;
    t.remove_prefix(static_cast<std::size_t>(behind->data() - t.data()));
    tag.ident = "kernel";
  }
  if (!facility) record.host = host;
  if (!bare) set_tag(record, tag);
  s = t;
}

// journalctl short-monotonic has "host kernel: " behind the bracket: only with a tag that cannot be a message.
bool take_monotonic_host(std::string_view& s, LogRecord& record) {
  std::string_view t = s;
  const std::string_view host = take_word(t);
  if (host.empty() || host.back() == ':' || is_kernel_word(s)) return false;
  for (const char c : host) {
    if (!is_host_char(c)) return false;
  }
  t = trim_front(t);
  Tag tag;
  if (!take_tag(t, tag) || (!is_kernel_ident(tag.ident) && !tag.pid)) return false;
  record.host = host;
  set_tag(record, tag);
  s = t;
  return true;
}

// "<6>" of dmesg -r and syslog; true for RFC 5424, whose version follows.
bool take_priority(std::string_view& s, LogRecord& record, bool& rfc5424) {
  std::string_view t = s;
  if (!take(t, '<')) return false;
  const auto value = take_number<std::uint32_t>(t);
  if (!value || *value > 191 || !take(t, '>')) return false;
  record.priority = *value & 7;
  rfc5424 = take(t, "1 ");
  s = t;
  return true;
}

// RFC 5424 behind PRI and VERSION: TIMESTAMP HOST APP PROCID MSGID SD MSG.
void take_rfc5424(std::string_view& s, LogRecord& record) {
  if (!take_iso_stamp(s, record.stamp)) take(s, '-');
  if (const auto host = take_word(s); host != "-") record.host = host;
  Tag tag{take_word(s), std::nullopt};
  std::string_view procid = take_word(s);
  tag.pid = take_number<std::uint32_t>(procid);
  take_word(s);
  s = trim_front(s);
  if (take(s, '[')) {
    bool quoted = false;
    for (; !s.empty(); s.remove_prefix(1)) {
      if (s.front() == '"') quoted = !quoted;
      if (s.front() == ']' && !quoted && !s.substr(1).starts_with('[')) break;
    }
    take(s, ']');
  } else {
    take(s, '-');
  }
  take(s, ' ');
  if (tag.ident != "-") set_tag(record, tag);
}

// dmesg -x: "kern  :warn  : "; Talos: "kern: warning: ".
bool take_decoded(std::string_view& s, LogRecord& record) {
  static constexpr std::array<std::string_view, 10> kLevels{"emerg",  "alert", "crit",  "err",     "warn",
                                                            "notice", "info",  "debug", "warning", "error"};
  constexpr std::array<std::uint32_t, kLevels.size()> kNumbers{0, 1, 2, 3, 4, 5, 6, 7, 4, 3};
  std::string_view t = s;
  const auto colon = t.find(':');
  if (colon == t.npos || colon > 10) return false;
  const std::string_view facility = trim(t.substr(0, colon));
  static constexpr std::array<std::string_view, 8> kFacilities{"kern", "user",   "mail", "daemon",
                                                               "auth", "syslog", "lpr",  "news"};
  bool known = false;
  for (const auto name : kFacilities) known |= name == facility;
  t.remove_prefix(colon + 1);
  const auto second = t.find(':');
  if (!known || second == t.npos || second > 10) return false;
  const std::string_view level = trim(t.substr(0, second));
  for (std::size_t i = 0; i < kLevels.size(); ++i) {
    if (level != kLevels[i]) continue;
    record.priority = kNumbers[i];
    s = t.substr(second + 1);
    take(s, ' ');
    return true;
  }
  return false;
}

// Log shippers: "stdout F " (CRI), "[pod/name/container] " (kubectl --prefix), "name-1  | " (compose).
bool take_shipper(std::string_view& s) {
  for (const auto stream : {"stdout F ", "stderr F ", "stdout P ", "stderr P "}) {
    if (take(s, stream)) return true;
  }
  if (s.starts_with("[pod/")) {
    const auto close = s.find(']');
    if (close == s.npos || close > 300) return false;
    s = trim_front(s.substr(close + 1));
    return true;
  }
  std::string_view t = s;
  const std::string_view name = take_word(t);
  t = trim_front(t);
  if (name.empty() || name.size() > 80 || !take(t, "| ")) return false;
  s = t;
  return true;
}

// What a person or a tool puts before each line: marks of mail and of lists, names of YAML and journalctl -o verbose.
bool take_quoting(std::string_view& s) {
  if (!s.empty() && (is_blank(s.front()) || s.front() == '>' || s.front() == '`')) {
    s.remove_prefix(1);
    return true;
  }
  if (s.size() > 1 && (s.front() == '+' || s.front() == '-' || s.front() == '#') && (s[1] == '[' || s[1] == ' ')) {
    s.remove_prefix(1);
    return true;
  }
  for (const std::string_view mark : {"| ", "* ", "\xe2\x94\x82", "data: ", "\x1e",
                                      "MESSAGE=", "MESSAGE: ", "message: ", "textPayload: ", "log: ", "msg: "}) {
    if (take(s, mark)) return true;
  }
  return false;
}

// A string of a program's source, of YAML, or of a log in a document.
void take_quotes(std::string_view& s) {
  if (s.empty() || (s.front() != '"' && s.front() != '\'')) return;
  const char quote = s.front();
  std::string_view t = trim_back(s.substr(1));
  while (!t.empty() && (t.back() == ',' || t.back() == '+' || t.back() == ';' || is_blank(t.back())))
    t.remove_suffix(1);
  if (t.empty() || t.back() != quote) {
    // Not the only string of its line, or one that goes on.
    if (quote == '"') s.remove_prefix(1);
    return;
  }
  t.remove_suffix(1);
  if (t.ends_with("\\n")) t.remove_suffix(2);
  s = t;
}

// "[2026-03-24T14:32:11.123Z] ", and Talos' "[2026-03-24T14:32:11.123Z]: ".
bool take_bracket_iso(std::string_view& s, Stamp& stamp) {
  std::string_view t = s;
  if (!take(t, '[') || !take_iso_stamp(t, stamp) || !take(t, ']')) return false;
  take(t, ':');
  take(t, ' ');
  s = t;
  return true;
}

// What grep puts in front of its matches: the file's name, a line's number; only where a stamp follows.
bool take_match_place(std::string_view& s, std::optional<int> year) {
  std::string_view t = s;
  std::size_t n = 0;
  while (n < t.size() && n < 200 && !is_blank(t[n]) && t[n] != ':' && t[n] != '[') ++n;
  if (n == 0 || n >= t.size() || t[n] != ':') return false;
  const std::string_view name = t.substr(0, n);
  const bool number = name.find_first_not_of("0123456789") == name.npos;
  const bool file = contains(name, "/") || contains(name, ".log") || contains(name, "messages") ||
                    contains(name, "syslog") || contains(name, "dmesg");
  if (!number && !file) return false;
  t.remove_prefix(n + 1);
  if (file) {
    std::string_view u = t;
    if (take_number<std::uint32_t>(u) && take(u, ':')) t = u;
  }
  std::string_view u = t;
  Stamp ignored;
  if (!take_printk_stamp(u, ignored) && !take_bracket_clock(u, ignored) && !take_iso_stamp(u, ignored) &&
      !take_syslog_stamp(u, ignored, year))
    return false;
  s = t;
  return true;
}

// "14:32" within the first words: without it none of the clock forms needs a try.
bool has_clock(std::string_view s) {
  s = s.substr(0, 64);
  for (auto colon = s.find(':'); colon != s.npos; colon = s.find(':', colon + 1)) {
    if (colon >= 2 && colon + 1 < s.size() && is_digit(s[colon - 1]) && is_digit(s[colon - 2]) &&
        is_digit(s[colon + 1]))
      return true;
  }
  return false;
}

}  // namespace

bool take_kmsg_header(std::string_view& s, LogRecord& record) {
  std::string_view t = s;
  const auto priority = take_number<std::uint32_t>(t);
  if (!priority || *priority > 2047 || !take(t, ',')) return false;
  const auto seq = take_number<std::uint64_t>(t);
  if (!seq || !take(t, ',')) return false;
  const auto time_us = take_number<std::uint64_t>(t);
  if (!time_us || !take(t, ',') || t.empty() || (t.front() != '-' && t.front() != 'c' && t.front() != '+'))
    return false;
  const auto end = t.find(';');
  if (end == t.npos || end > 128) return false;
  if (auto caller = after(t.substr(0, end), "caller=")) {
    record.caller = caller->substr(0, caller->find_first_of(",/ "));
  }
  record.priority = *priority & 7;
  record.kmsg_seq = *seq;
  if (*time_us <= kMostPrintkUs) record.stamp.printk_us = *time_us;
  s = t.substr(end + 1);
  return true;
}

namespace {

// talosctl: "10.5.0.2: kern: warning: ".
bool take_node(std::string_view& s, Tag& node) {
  std::string_view t = s;
  LogRecord ignored;
  if (!take_tag(t, node) || node.pid) return false;
  std::string_view u = trim_front(t);
  if (!take_decoded(u, ignored)) return false;
  s = trim_front(t);
  return true;
}

}  // namespace

LogRecord strip_prefix(std::string_view line, std::optional<int> year, LogRecord hint) {
  LogRecord record = hint;
  std::string_view s = line;
  while (take_quoting(s)) {
  }
  take_quotes(s);
  take_match_place(s, year);
  bool stamped = false;
  // A log that went through several hands has several prefixes; eight are more than any has.
  for (int round = 0; round < 8; ++round) {
    bool rfc5424 = false;
    const std::string_view before = s;
    const bool clock = has_clock(s);
    if (take_printk_stamp(s, record.stamp)) {
      take_caller(s, record.caller);
      record.prefixed = true;
      take_monotonic_host(s, record);
    } else if (record.prefixed && s.starts_with(": [")) {
      s.remove_prefix(2);  // an empty tag: "kernel: : [  12.3] "
    } else if (take_kmsg_header(s, record)) {
      record.prefixed = true;
    } else if (take_priority(s, record, rfc5424)) {
      record.prefixed = true;
      if (rfc5424) take_rfc5424(s, record);
    } else if (!stamped && (clock || is_digit(s.empty() ? ' ' : s.front())) &&
               (take_iso_stamp(s, record.stamp) || take_journal_stamp(s, record.stamp) ||
                take_syslog_stamp(s, record.stamp, year))) {
      record.prefixed = true;
      stamped = true;
      s = trim_front(s);
      if (!take_shipper(s) && !s.starts_with('[') && !s.starts_with('<')) take_host_and_tag(s, record);
    } else if ((clock && (take_bracket_clock(s, record.stamp) || take_bracket_iso(s, record.stamp))) ||
               take_decoded(s, record)) {
      record.prefixed = true;
    } else if (std::string_view t = s; !stamped && clock && take_bare_clock(t)) {
      // Of a page about the journal, which lost the dates: only where a host or a program follows.
      const std::string_view behind = trim_front(t);
      take_host_and_tag(t, record);
      if (trim_front(t).size() < behind.size()) {
        s = t;
        record.prefixed = stamped = true;
      }
    } else if (Tag node; round == 0 && take_node(s, node)) {
      record.host = node.ident;
    } else if (take(s, "kernel: ") || (!record.prefixed && take_shipper(s))) {
      record.prefixed = true;
    } else if (Tag tag; round == 0 && s.starts_with("kernel:[") && take_tag(s, tag)) {
      record.prefixed = true;
    }
    if (s.size() == before.size()) break;
    if (s.starts_with("  ") && is_blank(s.front())) {
      std::string_view t = trim_front(s);
      Stamp ignored;
      if (take_printk_stamp(t, ignored)) s = trim_front(s);
    }
  }
  // A program's line in the kernel's own buffer: "systemd[1]: ...".
  if (record.ident.empty() && !record.foreign) {
    std::string_view t = s;
    Tag tag;
    if (!is_kernel_word(s) && take_tag(t, tag) && tag.pid && !contains(t.substr(0, 48), "segfault") &&
        !contains(t.substr(0, 48), "unhandled") && !contains(t.substr(0, 48), "general protection")) {
      set_tag(record, tag);
      s = t;
    }
  }
  record.message = trim_back(s);
  return record;
}

}  // namespace oomtrace::kernel_log
