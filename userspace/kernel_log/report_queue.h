// SPDX-License-Identifier: Apache-2.0
// The reports that are open, in the order in which they began, with the notes between them.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "kernel_log/mem_info_lines.h"
#include "kernel_log/note.h"
#include "kernel_log/oom_report.h"
#include "kernel_log/task_table.h"

namespace oomtrace::kernel_log {

class ReportConsumer {
 public:
  virtual ~ReportConsumer() = default;
  // Reports and notes come in the order in which they began in the log.
  virtual void on_report(const OomReport& report) = 0;
  virtual void on_note(const Note& note) = 0;
};

// kCollecting: before the kill. kKilled: the rest of a group may follow. kClosed: waits for its turn to be given out.
enum class ReportState { kCollecting, kKilled, kClosed };

struct OpenReport {
  OomReport report;
  ReportState state = ReportState::kCollecting;
  std::string caller;
  MemInfoReader mem_info;
  std::vector<Column> columns;
  bool in_stats = false;
  bool in_table = false;
  bool muted = false;  // inside another message with a header, frames and Mem-Info of its own
  bool bare = false;   // nothing but a kill line: its report was suppressed, or it is of a group
  Stamp last, killed_at;
  std::uint64_t last_line = 0;
};

class ReportQueue {
 public:
  explicit ReportQueue(ReportConsumer& consumer) : consumer_(consumer) {}

  // Counts lines and closes what has waited too long by the record's time and by lines.
  void advance(const LogRecord& record);
  // Starts a report of the record's host and task and makes it current.
  OpenReport& begin(const LogRecord& record);
  // The report that lines of this host and task go to; nullptr if none is open.
  OpenReport* current(const LogRecord& record);
  void make_current(const LogRecord& record, OpenReport& open);
  // A line of the report was seen.
  void touch(OpenReport& open, const LogRecord& record);
  void close(OpenReport& open);
  // Closes all of this host and task that have their kill: another decision begins.
  void close_killed(const LogRecord& record);
  // Closes one without giving it out: it turned out to be part of another.
  void discard(OpenReport& open);
  // Those of the record's host that are not closed, oldest first.
  std::vector<OpenReport*> open_of_host(const LogRecord& record);
  // The newest, closed ones too, that killed this process.
  OpenReport* killer_of(const LogRecord& record, std::uint32_t pid);

  void add(Note note);
  // Gives out what is closed and has nothing open before it.
  void pump();
  void flush();
  bool any_open() const { return open_reports_ > 0; }
  // The last line before this one was of this report.
  bool is_previous_line(const OpenReport& open) const { return open.last_line + 1 == line_; }
  // A report's lines are expected next.
  bool collecting() const;

 private:
  struct Item {
    std::unique_ptr<OpenReport> open;  // null: a note
    Note note;
    bool discarded = false;
  };
  struct Context {
    std::string host, caller;
    OpenReport* current = nullptr;
    std::uint64_t last_line = 0;
  };

  Context& context(const LogRecord& record);
  void forget(const OpenReport& open);
  void give_out(Item& item);
  bool is_repeat(const OomReport& report);

  ReportConsumer& consumer_;
  std::deque<Item> items_;
  std::size_t open_reports_ = 0;
  std::size_t waiting_rows_ = 0;  // of reports that are closed
  std::vector<Context> contexts_;
  std::vector<std::uint64_t> seen_;  // ring: what was given out, to know a log that holds its lines twice
  std::size_t next_seen_ = 0;
  std::uint64_t line_ = 0;
};

// Whether `b` lies at most `microseconds` behind `a`; true where the log has no times to tell. Time going back by more
// than a second is another boot, or another file.
bool within(const Stamp& a, const Stamp& b, std::int64_t microseconds);

}  // namespace oomtrace::kernel_log
