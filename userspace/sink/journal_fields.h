// SPDX-License-Identifier: Apache-2.0
// An event as fields of systemd's journal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oomtrace/event.h"

namespace oomtrace::sink {

// Message ids, for `journalctl MESSAGE_ID=...`; packaging/journald/oomtrace.catalog explains them to `journalctl -x`.
inline constexpr std::string_view kKillMessageId = "ee45e509a29743bbabbdd214fadad1b2";
inline constexpr std::string_view kLostMessageId = "78e808e5b59445f1a6af74702295360c";
inline constexpr std::string_view kStartMessageId = "6363cb858bb74a1c8028b0754a9d46a8";
inline constexpr std::string_view kStopMessageId = "ee8ba6e8474f4c5482b10ed7760828ff";

// "NAME=value" each, as sd_journal_sendv(3) takes them: MESSAGE, MESSAGE_ID where the kind has one, PRIORITY,
// SYSLOG_IDENTIFIER, OBJECT_PID (so that journald adds what it knows of that process, if it is still there),
// OOMTRACE_EVENT, OOMTRACE_TRACE_ID, OOMTRACE_SEQ, of kills OOMTRACE_INCIDENT_ID, OOMTRACE_DOMAIN, OOMTRACE_CGROUP,
// OOMTRACE_COMM, OOMTRACE_TRIGGER_PID, and OOMTRACE_JSON, the whole line. docs/events.md has the table.
void make_journal_fields(const Event& event, std::string_view line, std::vector<std::string>& fields);

}  // namespace oomtrace::sink
