// SPDX-License-Identifier: Apache-2.0
// How far CLOCK_REALTIME was ahead of CLOCK_BOOTTIME over one boot. Both are slewed alike and both count sleep: the
// offset changes where somebody sets the clock (settimeofday(2), clock_settime(2), adjtimex(2) with ADJ_SETOFFSET), and
// there only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace oomtrace {

class ClockHistory {
 public:
  struct Setting {
    std::uint64_t from_boot_ns = 0;
    std::int64_t offset_ns = 0;
  };
  // Offsets nearer than this are the same one, read twice.
  static constexpr std::int64_t kSameNs = 1'000'000;
  // Of more the earliest are forgotten.
  static constexpr std::size_t kMostSettings = 256;

  // The offset was that from then on. In any order. False: nothing new.
  bool note(std::uint64_t boot_ns, std::int64_t offset_ns);

  bool empty() const { return settings_.empty(); }
  const std::vector<Setting>& settings() const { return settings_; }  // by time; neighbors differ

  // Of the last setting not after that time; before the first that of the first. 0 where nothing was noted.
  std::int64_t offset_at(std::uint64_t boot_ns) const;
  // The lowest that held at that time or later.
  std::int64_t lowest_since(std::uint64_t boot_ns) const;
  std::int64_t last_offset() const { return settings_.empty() ? 0 : settings_.back().offset_ns; }

 private:
  std::vector<Setting> settings_;
};

// ns since the epoch; wraps around for figures that no clock has.
inline std::int64_t wall_time(std::uint64_t boot_ns, std::int64_t offset_ns) {
  return static_cast<std::int64_t>(boot_ns + static_cast<std::uint64_t>(offset_ns));
}

}  // namespace oomtrace
