// SPDX-License-Identifier: Apache-2.0
// What a log says beside its OOM reports: other deaths, the reaper, lost messages, lines worth keeping.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kernel_log/record.h"

namespace oomtrace::kernel_log {

enum class NoteKind {
  kLine,    // kept as text
  kFault,   // a process died of a signal that it did not handle
  kSignal,  // a fatal signal and who sent it
  kReaped,  // the OOM reaper freed a victim's memory
  kSharer,  // killed with a victim whose memory it shares
  kLost,    // the log itself has a gap
};

struct Note {
  NoteKind kind = NoteKind::kLine;
  std::string message;
  bool other_program = false;  // the message is another program's, with its name in front
  std::string host, boot_id;
  Stamp stamp;
  std::optional<std::uint32_t> priority;
  std::optional<std::uint64_t> kmsg_seq;
  std::uint32_t pid = 0;
  std::string comm;
  std::int32_t signal = 0;
  std::string sender_comm;  // empty: the kernel
  std::uint32_t sender_pid = 0;
  std::optional<std::uint64_t> anon_rss_kb, file_rss_kb, shmem_rss_kb;
  std::uint64_t lost = 0;
};

// What a line that belongs to no OOM report says, if it is one of those that oomtrace keeps:
// - segfaults, traps and unhandled faults of x86, arm64 and powerpc: kFault;
// - memory failure (hwpoison), Android's lowmemorykiller, earlyoom and its like: kSignal;
// - systemd's and systemd-oomd's lines about killed units, page allocation failures, panics, reaper troubles: kLine;
// - suppressed or dropped messages: kLost.
// Each of them holds one of the words of find_needle().
std::optional<Note> parse_note(const LogRecord& record);

}  // namespace oomtrace::kernel_log
