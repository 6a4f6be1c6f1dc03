// SPDX-License-Identifier: Apache-2.0
// OOM reports and notes of a kernel log -> Events.
#include "kernel_log/event_writer.h"

#include <algorithm>
#include <ctime>
#include <string_view>
#include <utility>

#include "base/clock_history.h"
#include "kernel_log/derive.h"
#include "kernel_log/report_payloads.h"
#include "kernel_log/scan.h"

namespace oomtrace::kernel_log {
namespace {

constexpr std::size_t kMaxEarlyNotes = 64;
constexpr std::size_t kMostTold = 20;

std::string_view arch_of(std::string_view release) {
  using Name = std::pair<std::string_view, std::string_view>;
  for (const auto& [word, arch] :
       {Name{"x86_64", "x86_64"}, Name{"amd64", "x86_64"}, Name{"aarch64", "aarch64"}, Name{"arm64", "aarch64"},
        Name{"ppc64le", "ppc64le"}, Name{"s390x", "s390x"}, Name{"riscv64", "riscv64"}, Name{"i686", "i686"},
        Name{"i586", "i586"}, Name{"i386", "i386"}}) {
    if (contains(release, word)) return arch;
  }
  return {};
}

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kDay = 86'400 * kSecond;

std::tm civil_of(std::int64_t wall_ns) {
  const std::time_t seconds = wall_ns / kSecond;
  std::tm civil{};
  gmtime_r(&seconds, &civil);
  return civil;
}

// The same clock and date of the year before.
std::int64_t year_before(std::int64_t wall_ns) {
  std::tm civil = civil_of(wall_ns);
  --civil.tm_year;
  return static_cast<std::int64_t>(timegm(&civil)) * kSecond + wall_ns % kSecond;
}

// The instant at which clocks here showed what this one shows in UTC.
std::int64_t as_local_time(std::int64_t wall_ns) {
  std::tm civil = civil_of(wall_ns);
  civil.tm_isdst = -1;
  return static_cast<std::int64_t>(mktime(&civil)) * kSecond + wall_ns % kSecond;
}

template <class T>
bool learns(const Opt<T>& now, Opt<T>& known) {
  if (!now || now == known) return false;
  const bool first = !known;
  known = now;
  return first;
}

}  // namespace

std::int64_t EventWriter::wall_of(const Stamp& stamp) {
  std::int64_t wall_ns = *stamp.wall_ns;
  const LogHost& host = options_.host;
  if (!stamp.zoneless) return wall_ns;
  if (stamp.yearless && host.not_after_ns && wall_ns - kDay > *host.not_after_ns) wall_ns = year_before(wall_ns);
  if (host.local_time) return as_local_time(wall_ns);
  zone_assumed_ = true;
  return wall_ns;
}

void EventWriter::emit(const Stamp& stamp, Payload payload) {
  Event event;
  event.seq = ++seq_;
  event.trace_id = options_.trace_id;
  event.boot_id = facts_.boot_id;
  event.host_name = facts_.host;
  if (stamp.printk_us) event.boot_ns = *stamp.printk_us * 1000;
  if (stamp.wall_ns) {
    event.wall_ns = wall_of(stamp);
  } else if (stamp.printk_us && facts_.offset_ns != 0) {
    event.wall_ns = wall_time(event.boot_ns, facts_.offset_ns);
  }
  event.payload = std::move(payload);
  consumer_.on_event(event);
}

// Tells what is known of the host if it is news.
void EventWriter::start(Facts facts, const Stamp& stamp) {
  const LogHost& known = options_.host;
  if (facts.host.empty()) facts.host = known.name;
  if (facts.boot_id.empty()) facts.boot_id = known.boot_id;
  if (facts.release.empty()) facts.release = known.kernel_release;
  if (facts.version.empty()) facts.version = known.kernel_version;
  if (facts.page_size == 0) facts.page_size = known.page_size;
  bool news = !started_ || facts.host != facts_.host || (!facts.boot_id.empty() && facts.boot_id != facts_.boot_id);
  if (news) facts_ = Facts{facts.host, facts.boot_id, {}, {}, 0, known.realtime_offset_ns, {}, {}, {}};
  if (!facts.release.empty() && facts.release != facts_.release) {
    facts_.release = facts.release;
    news = true;
  }
  if (!facts.version.empty()) facts_.version = facts.version;
  if (facts.page_size != 0 && facts.page_size != facts_.page_size) {
    facts_.page_size = facts.page_size;
    news = true;
  }
  news |= learns(facts.mem_total, facts_.mem_total);
  news |= learns(facts.swap_total, facts_.swap_total);
  news |= learns(facts.cgroup_version, facts_.cgroup_version);
  if (stamp.printk_us && stamp.wall_ns) {
    std::int64_t offset_ns = 0;
    if (!__builtin_sub_overflow(wall_of(stamp), static_cast<std::int64_t>(*stamp.printk_us * 1000), &offset_ns))
      facts_.offset_ns = offset_ns;
  }
  if (!news) return;
  started_ = true;
  if (options_.live) return;
  TraceStart payload;
  payload.kernel_release = facts_.release;
  payload.kernel_version = facts_.version;
  payload.arch = arch_of(facts_.release);
  payload.page_size = facts_.page_size;
  payload.realtime_offset_ns = facts_.offset_ns;
  payload.mem_total = facts_.mem_total;
  payload.swap_total = facts_.swap_total;
  payload.cgroup_version = facts_.cgroup_version;
  payload.source = "kernel_log";
  emit(stamp, std::move(payload));
}

void EventWriter::on_report(const OomReport& report) {
  ++incidents_;
  auto page_size = page_size_of(report);
  if (!page_size && options_.host.page_size != 0) page_size = options_.host.page_size;
  Facts facts{
      report.host, report.boot_id, report.kernel_release, report.kernel_version, page_size.value_or(0), 0, {}, {}, {}};
  SystemMemory memory = system_memory(report, page_size);
  memory.incident_id = incidents_;
  facts.mem_total = memory.total;
  facts.swap_total = memory.swap_total;
  if (report.swap.limit_kb) facts.cgroup_version = 2;
  if (report.memsw.limit_kb) facts.cgroup_version = 1;
  start(facts, early_.empty() ? report.start : early_.front().stamp);
  flush();

  if (report.mem_info.seen) emit(report.start, memory);
  for (CgroupMemory& cgroup : cgroup_memory(report, incidents_)) emit(report.start, std::move(cgroup));
  for (const auto& [stamp, kill] : kill_payloads(report, incidents_, page_size)) emit(stamp, kill);
  const Stamp end = report.kills.empty() ? report.start : report.kills.front().stamp;
  for (const TaskRow& row : report.rows) emit(end, candidate_payload(row, incidents_, page_size));
  emit(end, end_payload(report, incidents_));
}

void EventWriter::on_note(const Note& note) {
  if (!started_ && early_.size() < kMaxEarlyNotes) {
    early_.push_back(note);
  } else {
    flush();
    write_note(note);
  }
}

void EventWriter::flush() {
  const std::vector<Note> notes = std::exchange(early_, {});
  for (const Note& note : notes) write_note(note);
}

void EventWriter::write_note(const Note& note) {
  start(Facts{note.host, note.boot_id, {}, {}, 0, 0, {}, {}, {}}, note.stamp);
  const ProcessRef process{note.pid, 0, note.comm};
  switch (note.kind) {
    case NoteKind::kReaped: {
      OomReaped reaped;
      reaped.process = process;
      if (note.anon_rss_kb || note.file_rss_kb || note.shmem_rss_kb) reaped.memory = reaped_memory(note);
      emit(note.stamp, std::move(reaped));
      return;
    }
    case NoteKind::kLost: {
      TraceLost lost;
      lost.source = "kernel_log";
      lost.count = note.lost;
      lost.detail = note.message;
      emit(note.stamp, lost);
      return;
    }
    case NoteKind::kFault: {
      ProcessExit exit;
      exit.process = process;
      exit.wait_status = static_cast<std::uint32_t>(note.signal);
      emit(note.stamp, std::move(exit));
      break;
    }
    case NoteKind::kSignal:
    case NoteKind::kSharer: {
      SignalKill kill;
      kill.sender = {note.sender_pid, 0, note.sender_comm};
      kill.target = process;
      kill.signal = note.kind == NoteKind::kSharer ? 9 : note.signal;
      kill.from_kernel = note.sender_comm.empty();
      kill.in_oom_kill = note.kind == NoteKind::kSharer;
      emit(note.stamp, kill);
      break;
    }
    case NoteKind::kLine:
      if (note.other_program && told_.size() < kMostTold &&
          std::find(told_.begin(), told_.end(), note.message) == told_.end())
        told_.push_back(note.message);
      break;
  }
  KernelLog line;
  line.message = note.message;
  line.kmsg_seq = note.kmsg_seq;
  line.priority = note.priority;
  line.timestamp_us = note.stamp.printk_us;
  emit(note.stamp, line);
}

std::vector<std::string> EventWriter::notes() const {
  std::vector<std::string> notes;
  if (zone_assumed_) notes.emplace_back("times in the log have no time zone: they were taken as UTC");
  for (const std::string& text : told_) notes.push_back("another program wrote: " + text);
  return notes;
}

void EventWriter::finish() {
  flush();
  if (!started_) start({}, {});
  if (options_.live) return;
  TraceStop stop;
  stop.reason = "end_of_input";
  emit({}, stop);
}

}  // namespace oomtrace::kernel_log
