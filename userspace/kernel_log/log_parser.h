// SPDX-License-Identifier: Apache-2.0
// Kernel log text -> Events. The way in for `report` on a log file and for a recorder that follows /dev/kmsg.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oomtrace/event.h"

namespace oomtrace::kernel_log {

class EventConsumer {
 public:
  virtual ~EventConsumer() = default;
  // Views in the event live as long as the call. `seq` counts from 1 without gaps. boot_ns is printk's time, 0 where
  // the log has none; wall_ns is 0 where the log has no date.
  virtual void on_event(const Event& event) = 0;
};

// What the caller knows of the host that wrote the log; used where the text does not say it.
struct LogHost {
  std::string name, boot_id, kernel_release, kernel_version;
  std::uint32_t page_size = 0;          // bytes; 0 = not known
  std::int64_t realtime_offset_ns = 0;  // wall time less printk's time; 0 = not known
  bool local_time = false;              // stamps without time zone are of the time zone that TZ or this machine has
  // Stamps without a year get the year of this, or the one before where they would lie more than a day behind it: the
  // file's last change. nullopt: LogOptions::year as it is.
  std::optional<std::int64_t> not_after_ns;
};

struct LogOptions {
  std::optional<int> year;  // of syslog time stamps, which have none; nullopt: they give no wall time
  std::string trace_id;     // put into every event
  bool live = false;        // the caller's stream has its own trace.start and trace.stop: leave them out
  LogHost host;
};

// Reads a log of any size in pieces of any size with bounded memory. Events of one incident: trace.start (whenever what
// is known of the host changed), system.memory, cgroup.memory, oom.kill for each victim (one with `no_victim` where
// there is none), oom.candidate for each row of the task table, oom.end. Other deaths become process.exit (unhandled
// faults), signal.kill (earlyoom, memory failure, lowmemorykiller) and kernel.log (systemd, systemd-oomd, allocation
// failures). Never fails: what cannot be understood is passed over.
class LogParser {
 public:
  explicit LogParser(EventConsumer& consumer, const LogOptions& options = {});
  ~LogParser();
  LogParser(const LogParser&) = delete;
  LogParser& operator=(const LogParser&) = delete;

  void feed(std::string_view chunk);
  // One record as read(2) of /dev/kmsg gives it ("6,1234,5678,-;text" with its dictionary lines); for live use, instead
  // of feed(). Events come when the report is whole and cannot grow any more: call flush() after two seconds of
  // silence.
  void feed_kmsg(std::string_view record);
  // Gives out what waits for more lines (a report that goes on, a group that may have more victims): after a pause.
  void flush();
  // End of the log. Nothing may be fed afterwards.
  void finish();

  // What has to be known about the events given out, one sentence each; complete after finish().
  std::vector<std::string> notes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Whether the beginning of a file (64 KiB are enough) looks like a kernel log in one of the forms that LogParser reads.
bool is_kernel_log(std::string_view beginning);

}  // namespace oomtrace::kernel_log
