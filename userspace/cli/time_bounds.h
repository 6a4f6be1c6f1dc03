// SPDX-License-Identifier: Apache-2.0
// What --since, --until and --boot mean: journalctl's words for points in time and for boots.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "oomtrace/result.h"

namespace oomtrace::cli {

// A point in time as systemd.time(7) writes it: "2026-03-24 14:32:11", "2026-03-24", "14:32", "now", "today",
// "yesterday", "tomorrow", "-2h", "+5min", "2h 30min ago", "@1774362731.5"; local time unless "UTC" or an RFC 3339
// offset follows. `now_ns` is CLOCK_REALTIME. ns since the epoch. Errors: Errc::kUsage.
Result<std::int64_t> parse_time_point(std::string_view text, std::int64_t now_ns);

struct TimeBounds {
  std::optional<std::int64_t> since_ns, until_ns;  // both inclusive; `until` on a whole second includes that second

  static Result<TimeBounds> parse(const std::string& since, const std::string& until, std::int64_t now_ns);

  bool any() const { return since_ns || until_ns; }
  bool hold(std::int64_t wall_ns) const {
    return (!since_ns || wall_ns >= *since_ns) && (!until_ns || wall_ns <= *until_ns);
  }
};

// journalctl --boot: "0" this boot, "-1" the one before, "1" the first that the journal has, an ID of 32 hex digits
// (dashes are left out), an ID with an offset, "all".
struct BootChoice {
  std::string id;  // 32 hex digits, or empty
  std::optional<std::int32_t> offset;
  bool all = false;

  // Errors: Errc::kUsage.
  static Result<BootChoice> parse(std::string_view text);
  // As an argument of journalctl.
  std::string text() const;
};

// A boot ID as the journal writes it: lower case, without dashes.
std::string plain_boot_id(std::string_view id);

}  // namespace oomtrace::cli
