// SPDX-License-Identifier: Apache-2.0
// OOM reports and notes of a kernel log -> Events, in the words and units of the stream.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kernel_log/log_parser.h"
#include "kernel_log/report_queue.h"
#include "oomtrace/event.h"

namespace oomtrace::kernel_log {

class EventWriter : public ReportConsumer {
 public:
  EventWriter(EventConsumer& consumer, LogOptions options) : consumer_(consumer), options_(std::move(options)) {}

  void on_report(const OomReport& report) override;
  void on_note(const Note& note) override;
  // Gives out notes that wait for the first report to tell about the host.
  void flush();
  // End of the log: trace.stop, and trace.start before it if nothing was given out.
  void finish();
  std::vector<std::string> notes() const;

 private:
  // Host facts that a trace.start told last.
  struct Facts {
    std::string host, boot_id, release, version;
    std::uint32_t page_size = 0;
    std::int64_t offset_ns = 0;
    Opt<std::uint64_t> mem_total, swap_total;
    Opt<int> cgroup_version;
  };

  void start(Facts facts, const Stamp& stamp);
  void write_note(const Note& note);
  void emit(const Stamp& stamp, Payload payload);
  std::int64_t wall_of(const Stamp& stamp);

  EventConsumer& consumer_;
  LogOptions options_;
  Facts facts_;
  std::vector<Note> early_;
  std::vector<std::string> told_;  // by other programs, each sentence once
  bool started_ = false;
  bool zone_assumed_ = false;
  std::uint64_t incidents_ = 0;
  std::uint64_t seq_ = 0;
};

}  // namespace oomtrace::kernel_log
