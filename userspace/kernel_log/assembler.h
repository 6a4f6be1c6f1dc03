// SPDX-License-Identifier: Apache-2.0
// Records in log order -> OOM reports and notes: which line begins, feeds or ends which report.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernel_log/kill_lines.h"
#include "kernel_log/record_reader.h"
#include "kernel_log/report_queue.h"
#include "kernel_log/trigger_lines.h"

namespace oomtrace::kernel_log {

// Memory is bounded: a few open reports with a bounded number of rows, and a bounded queue behind them.
class Assembler : public RecordSink {
 public:
  explicit Assembler(ReportConsumer& consumer) : queue_(consumer) {}

  void on_record(const LogRecord& record) override;
  // Every line has to be given, not only those that look like something.
  bool busy() const { return queue_.collecting(); }
  // Closes all open reports, as at the end of the log.
  void flush() { queue_.flush(); }

 private:
  // What a host's log said before a report began.
  struct Host {
    std::string name, release, version;
    bool boot_seen = false;
    std::uint64_t boot_swap_kb = 0;
    bool sysrq = false;
    Stamp sysrq_at;
    std::uint64_t used = 0;
  };

  bool dispatch(const LogRecord& record, bool needle);
  bool on_decision_line(const LogRecord& record);
  bool on_detail_line(const LogRecord& record);
  bool on_host_line(const LogRecord& record);

  void on_invoked(const LogRecord& record, TriggerLine line);
  bool on_header(const LogRecord& record, const HeaderLine& line);
  void on_constraint(const LogRecord& record, ConstraintLine line);
  void on_limit_of(const LogRecord& record, const ConstraintLine& line);
  void on_selection(const LogRecord& record, const SelectionLine& line);
  void on_killed(const LogRecord& record, KillLine line);
  void on_group(const LogRecord& record, const std::string& path);
  bool on_usage(const LogRecord& record);
  bool on_table(const LogRecord& record);
  void on_no_killable(const LogRecord& record);
  bool on_panic(const LogRecord& record);
  void on_reaped(const LogRecord& record, const ReapedLine& line);

  Host& host(const LogRecord& record);
  OpenReport* collecting(const LogRecord& record);
  // The collecting report, or a new one for what is left of a cut report.
  OpenReport& fragment(const LogRecord& record);
  OpenReport& begin(const LogRecord& record);
  OpenReport* match_kill(const LogRecord& record, const KillLine& line);
  bool join_group(const LogRecord& record, KillLine& line);
  bool join_sharers(const LogRecord& record, KillLine& line);
  void add_kill(OpenReport& open, const LogRecord& record, KillLine line);

  ReportQueue queue_;
  std::vector<Host> hosts_;
  std::uint64_t clock_ = 0;
};

}  // namespace oomtrace::kernel_log
