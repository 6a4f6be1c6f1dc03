// SPDX-License-Identifier: Apache-2.0
// The reports that are open, in the order in which they began.
#include "kernel_log/report_queue.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace oomtrace::kernel_log {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kGroupWindow = 5 * kSecond;     // between a kill and the last of its group
constexpr std::int64_t kReportWindow = 120 * kSecond;  // between two lines of one report, on a slow console
constexpr std::uint64_t kQuietLines = 400;  // lines of others after which a report is not waited for actively
constexpr std::uint64_t kForgottenLines = 20'000;
constexpr std::size_t kMaxItems = 2048;
constexpr std::size_t kMaxWaitingRows = 262'144;
constexpr std::size_t kMaxOpen = 16;
constexpr std::size_t kMaxContexts = 32;
constexpr std::size_t kSeen = 512;

std::uint64_t mix(std::uint64_t h, std::uint64_t v) {
  h ^= v + 0x9e3779b97f4a7c15ULL + (h << 6) + (h >> 2);
  return h * 0xff51afd7ed558ccdULL;
}

// A log that names its host only on some lines is of one host.
bool same_host(std::string_view a, std::string_view b) { return a == b || a.empty() || b.empty(); }

// Rows alone could be any list of numbers; all else is only printed by the OOM killer.
bool is_evidence(const OomReport& report) {
  return report.trigger.invoked || !report.kills.empty() || report.constraint.seen || report.selection ||
         report.table_header || report.tasks_state || report.memory.usage_kb || !report.constraint.oom_memcg.empty() ||
         !report.stats.empty() || !report.oom_group.empty() || report.ended_by != EndedBy::kCut;
}

}  // namespace

bool within(const Stamp& a, const Stamp& b, std::int64_t microseconds) {
  std::int64_t difference = 0;
  if (a.printk_us && b.printk_us) {
    difference = static_cast<std::int64_t>(*b.printk_us) - static_cast<std::int64_t>(*a.printk_us);
  } else if (a.wall_ns && b.wall_ns) {
    difference = (*b.wall_ns - *a.wall_ns) / 1000;
  } else {
    return true;
  }
  return difference >= -kSecond && difference <= microseconds;
}

ReportQueue::Context& ReportQueue::context(const LogRecord& record) {
  Context* found = nullptr;
  for (Context& known : contexts_) {
    if (!same_host(known.host, record.host) || known.caller != record.caller) continue;
    if (!found || known.last_line > found->last_line) found = &known;
  }
  if (found) {
    found->last_line = line_;
    if (found->host.empty()) found->host = record.host;
    return *found;
  }
  if (contexts_.size() == kMaxContexts) {
    const auto oldest = std::min_element(contexts_.begin(), contexts_.end(),
                                         [](const Context& a, const Context& b) { return a.last_line < b.last_line; });
    contexts_.erase(oldest);
  }
  contexts_.push_back({std::string(record.host), std::string(record.caller), nullptr, line_});
  return contexts_.back();
}

void ReportQueue::advance(const LogRecord& record) {
  ++line_;
  if (open_reports_ == 0) return;
  for (Item& item : items_) {
    OpenReport* open = item.open.get();
    if (!open || open->state == ReportState::kClosed) continue;
    const bool killed = open->state == ReportState::kKilled;
    const bool late = same_host(open->report.host, record.host) && record.stamp.known() &&
                      (killed ? !within(open->killed_at, record.stamp, kGroupWindow)
                              : !within(open->last, record.stamp, kReportWindow));
    if (late || line_ - open->last_line > kForgottenLines) close(*open);
  }
}

OpenReport& ReportQueue::begin(const LogRecord& record) {
  if (open_reports_ >= kMaxOpen) {
    for (Item& item : items_) {
      if (!item.open || item.open->state == ReportState::kClosed) continue;
      close(*item.open);
      break;
    }
  }
  items_.emplace_back();
  items_.back().open = std::make_unique<OpenReport>();
  ++open_reports_;
  OpenReport& open = *items_.back().open;
  open.report.host = record.host;
  open.report.boot_id = record.boot_id;
  open.report.start = record.stamp;
  open.caller = record.caller;
  touch(open, record);
  context(record).current = &open;
  return open;
}

OpenReport* ReportQueue::current(const LogRecord& record) {
  return open_reports_ == 0 ? nullptr : context(record).current;
}

void ReportQueue::make_current(const LogRecord& record, OpenReport& open) { context(record).current = &open; }

void ReportQueue::touch(OpenReport& open, const LogRecord& record) {
  if (record.stamp.known()) open.last = record.stamp;
  if (open.report.host.empty()) open.report.host = record.host;
  open.last_line = line_;
}

void ReportQueue::forget(const OpenReport& open) {
  for (Context& known : contexts_) {
    if (known.current == &open) known.current = nullptr;
  }
}

void ReportQueue::close(OpenReport& open) {
  if (open.state == ReportState::kClosed) return;
  open.state = ReportState::kClosed;
  --open_reports_;
  waiting_rows_ += open.report.rows.size();
  forget(open);
}

void ReportQueue::discard(OpenReport& open) {
  close(open);
  for (Item& item : items_) {
    if (item.open.get() == &open) item.discarded = true;
  }
}

void ReportQueue::close_killed(const LogRecord& record) {
  for (OpenReport* open : open_of_host(record)) {
    if (open->state == ReportState::kKilled && open->caller == record.caller) close(*open);
  }
}

std::vector<OpenReport*> ReportQueue::open_of_host(const LogRecord& record) {
  std::vector<OpenReport*> found;
  if (open_reports_ == 0) return found;
  for (Item& item : items_) {
    if (item.open && item.open->state != ReportState::kClosed && same_host(item.open->report.host, record.host))
      found.push_back(item.open.get());
  }
  return found;
}

OpenReport* ReportQueue::killer_of(const LogRecord& record, std::uint32_t pid) {
  for (auto item = items_.rbegin(); item != items_.rend(); ++item) {
    if (!item->open || !same_host(item->open->report.host, record.host)) continue;
    for (const KillLine& kill : item->open->report.kills) {
      if (kill.pid == pid) return item->open.get();
    }
  }
  return nullptr;
}

void ReportQueue::add(Note note) {
  items_.emplace_back();
  items_.back().note = std::move(note);
}

void ReportQueue::pump() {
  while (!items_.empty()) {
    Item& front = items_.front();
    if (front.open && front.open->state != ReportState::kClosed) {
      if (items_.size() <= kMaxItems && waiting_rows_ <= kMaxWaitingRows) return;
      close(*front.open);
    }
    give_out(front);
    if (front.open) waiting_rows_ -= front.open->report.rows.size();
    items_.pop_front();
  }
}

void ReportQueue::flush() {
  for (Item& item : items_) {
    if (item.open) close(*item.open);
  }
  pump();
}

bool ReportQueue::collecting() const {
  if (open_reports_ == 0) return false;
  return std::any_of(items_.begin(), items_.end(), [this](const Item& item) {
    return item.open && item.open->state == ReportState::kCollecting && line_ - item.open->last_line < kQuietLines;
  });
}

void ReportQueue::give_out(Item& item) {
  if (!item.open) {
    consumer_.on_note(item.note);
  } else if (!item.discarded && is_evidence(item.open->report) && !is_repeat(item.open->report)) {
    consumer_.on_report(item.open->report);
  }
}

// /var/log/messages and kern.log of one machine in one stream hold every report twice: printk's microseconds tell.
bool ReportQueue::is_repeat(const OomReport& report) {
  std::uint64_t h = 0;
  if (!report.kills.empty() && report.kills.front().stamp.printk_us) {
    const KillLine& kill = report.kills.front();
    h = mix(mix(mix(1, *kill.stamp.printk_us), kill.pid), kill.total_vm_kb.value_or(0));
  } else if (report.kills.empty() && report.start.printk_us && report.trigger.tid) {
    h = mix(mix(2, *report.start.printk_us), *report.trigger.tid);
  } else {
    return false;
  }
  if (std::find(seen_.begin(), seen_.end(), h) != seen_.end()) return true;
  if (seen_.size() < kSeen) {
    seen_.push_back(h);
  } else {
    seen_[next_seen_++ % kSeen] = h;
  }
  return false;
}

}  // namespace oomtrace::kernel_log
