// SPDX-License-Identifier: Apache-2.0
// What `report` reads where no input is named: the newest trace, else this machine's kernel log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/input.h"
#include "cli/time_bounds.h"

namespace oomtrace::cli {

// Where this machine keeps what is looked for; other values are for tests.
struct Places {
  std::string work_dir = ".";
  std::string state_dir = "/var/lib/oomtrace";
  std::string kmsg = "/dev/kmsg";
  std::string journalctl = "journalctl";
  std::string log_dir = "/var/log";
  std::string boot_id = "/proc/sys/kernel/random/boot_id";
};

// The newest *.oomtrace in the working directory or the state directory; nullopt: none.
std::optional<std::string> newest_trace(const Places& places);

// One place where a kernel log may be; what it holds is a report of its own.
struct LogPlace {
  std::string name;   // "/dev/kmsg"
  std::string about;  // "this boot"
  std::vector<Input> inputs;
};

// This machine's kernel logs, best first: /dev/kmsg, the journal of this and earlier boots, files that syslog wrote.
class KernelLogSearch {
 public:
  // A boot that is chosen leaves out the places that cannot have it.
  KernelLogSearch(Places places, std::optional<BootChoice> boot, TimeBounds bounds);

  // The next place that can be opened; nullopt: no more.
  std::optional<LogPlace> next();
  // A place that next() gave, and that could not be read after all.
  void refuse(const LogPlace& place, const Error& error);
  // Why there is nothing to read: every place with its reason, and the command that helps.
  Error error() const;

 private:
  std::optional<LogPlace> open_kmsg();
  std::optional<LogPlace> open_journal();
  std::optional<LogPlace> open_files();
  void refuse(const std::string& name, const Error& error);

  Places places_;
  std::optional<BootChoice> boot_;
  TimeBounds bounds_;
  int step_ = 0;
  bool denied_ = false;
  std::string reasons_;
};

// Options of journalctl for the kernel's messages and those of who kills or watches processes.
std::vector<std::string> journal_command(const Places& places, const std::optional<BootChoice>& boot,
                                         const TimeBounds& bounds);

// kern.log, messages or syslog with what logrotate made of it (".1", ".2.gz", "-20260324"), oldest first; the first of
// the three that is there, since the others repeat it.
std::vector<std::string> syslog_files(const std::string& folder);

}  // namespace oomtrace::cli
