// SPDX-License-Identifier: Apache-2.0
// Follows /dev/kmsg: the kernel's own words on a kill, kept beside ours as evidence and as the last way to candidates.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/fd.h"
#include "oomtrace/event.h"

namespace oomtrace::capture {

class KernelLogFollower {
 public:
  // From now on; what was logged before is not read. Unreadable: the follower stays silent.
  static KernelLogFollower open(const char* path = "/dev/kmsg");

  // The next message of the kernel itself (facility 0) that is there already; never waits. The event's text lives until
  // the next call. nullopt: none for now.
  std::optional<KernelLog> next();

  // Passes over all that is there already.
  void skip();

  bool readable() const { return file_.valid(); }
  std::uint64_t lost() const { return lost_; }  // overwritten before they were read

 private:
  Fd file_;
  std::uint64_t lost_ = 0;
  std::uint64_t next_sequence_ = 0;
  std::array<char, 8192> record_{};  // CONSOLE_EXT_LOG_MAX in kernel/printk/internal.h
};

// One record of /dev/kmsg: "PRIORITY,SEQUENCE,TIMESTAMP_US,FLAGS[,...];MESSAGE\n KEY=VALUE\n..."
// (Documentation/ABI/testing/dev-kmsg). The message keeps the kernel's \xNN escapes.
std::optional<KernelLog> parse_kmsg_record(std::string_view record);

}  // namespace oomtrace::capture
