// SPDX-License-Identifier: Apache-2.0
// Which fields each kind of event gets.
#include "sink/journal_fields.h"

#include <fmt/format.h>

#include <array>

#include "codec/names.h"
#include "sink/kill_line.h"

namespace oomtrace::sink {
namespace {

// syslog(3). The kernel itself logs its kills as errors.
enum Priority { kError = 3, kWarning = 4, kInfo = 6 };

constexpr std::string_view kProgram = "oomtrace";

class Fields {
 public:
  explicit Fields(std::vector<std::string>& fields) : fields_(fields) { fields_.clear(); }

  template <class T>
  void add(std::string_view name, const T& value) {
    fields_.push_back(fmt::format("{}={}", name, value));
  }
  void add_text(std::string_view name, std::string_view value) {
    if (!value.empty()) add(name, value);
  }
  void head(std::string_view message, Priority priority, std::string_view message_id = {}) {
    add("MESSAGE", message);
    add_text("MESSAGE_ID", message_id);
    add("PRIORITY", static_cast<int>(priority));
  }

 private:
  std::vector<std::string>& fields_;
};

void add_kill(Fields& fields, const OomKill& kill) {
  std::array<char, 512> buffer{};
  std::string_view text = format_kill_line(kill, buffer);
  // The journal names the program itself.
  const std::string prefix = std::string(kProgram) + ": ";
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  fields.head(text, kError, kKillMessageId);
  if (kill.victim.pid != 0) fields.add("OBJECT_PID", kill.victim.pid);
  fields.add("OOMTRACE_INCIDENT_ID", kill.decision.incident_id);
  fields.add("OOMTRACE_DOMAIN", codec::kDomainNames[static_cast<std::size_t>(kill.decision.domain)]);
  fields.add_text("OOMTRACE_CGROUP", kill.cgroup.path);
  fields.add_text("OOMTRACE_COMM", kill.victim.comm);
  if (kill.decision.trigger.pid != 0) fields.add("OOMTRACE_TRIGGER_PID", kill.decision.trigger.pid);
}

// The process that an event is about; nullptr: none.
const ProcessRef* subject_of(const Payload& payload) {
  if (const auto* fork = std::get_if<ProcessFork>(&payload)) return &fork->child;
  if (const auto* exec = std::get_if<ProcessExec>(&payload)) return &exec->process;
  if (const auto* exit = std::get_if<ProcessExit>(&payload)) return &exit->process;
  if (const auto* memory = std::get_if<ProcessMemory>(&payload)) return &memory->process;
  if (const auto* info = std::get_if<ProcessInfo>(&payload)) return &info->process;
  if (const auto* candidate = std::get_if<OomCandidate>(&payload)) return &candidate->process;
  if (const auto* reaped = std::get_if<OomReaped>(&payload)) return &reaped->process;
  if (const auto* adjusted = std::get_if<OomScoreAdj>(&payload)) return &adjusted->process;
  if (const auto* signal = std::get_if<SignalKill>(&payload)) return &signal->target;
  return nullptr;
}

}  // namespace

void make_journal_fields(const Event& event, std::string_view line, std::vector<std::string>& out) {
  Fields fields(out);
  const std::string_view kind = codec::event_kind_name(event);
  if (const auto* kill = std::get_if<OomKill>(&event.payload)) {
    add_kill(fields, *kill);
  } else if (const auto* lost = std::get_if<TraceLost>(&event.payload)) {
    fields.head(fmt::format("{} events lost from {}: {}", lost->count, lost->source, lost->detail), kWarning,
                kLostMessageId);
  } else if (std::holds_alternative<TraceStart>(event.payload)) {
    fields.head("watching for out-of-memory kills", kInfo, kStartMessageId);
  } else if (const auto* stop = std::get_if<TraceStop>(&event.payload)) {
    fields.head(fmt::format("stopped watching: {}", stop->reason), kInfo, kStopMessageId);
  } else if (const ProcessRef* subject = subject_of(event.payload)) {
    fields.head(fmt::format("{}: {} (pid {})", kind, subject->comm, subject->pid), kInfo);
    fields.add("OBJECT_PID", subject->pid);
    fields.add_text("OOMTRACE_COMM", subject->comm);
  } else {
    fields.head(kind, kInfo);
  }
  fields.add("SYSLOG_IDENTIFIER", kProgram);
  fields.add("OOMTRACE_EVENT", kind);
  fields.add("OOMTRACE_TRACE_ID", event.trace_id);
  fields.add("OOMTRACE_SEQ", event.seq);
  fields.add("OOMTRACE_JSON", line);
}

}  // namespace oomtrace::sink
