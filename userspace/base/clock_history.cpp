// SPDX-License-Identifier: Apache-2.0
// A short sorted list.
#include "base/clock_history.h"

#include <algorithm>
#include <iterator>

namespace oomtrace {

namespace {

bool same(std::int64_t a, std::int64_t b) {
  std::int64_t apart = 0;
  return !__builtin_sub_overflow(a, b, &apart) && apart < ClockHistory::kSameNs && apart > -ClockHistory::kSameNs;
}

bool later(std::uint64_t boot_ns, const ClockHistory::Setting& setting) { return boot_ns < setting.from_boot_ns; }

}  // namespace

bool ClockHistory::note(std::uint64_t boot_ns, std::int64_t offset_ns) {
  const auto next = std::upper_bound(settings_.begin(), settings_.end(), boot_ns, later);
  if (next != settings_.begin() && same(std::prev(next)->offset_ns, offset_ns)) return false;
  if (next != settings_.end() && same(next->offset_ns, offset_ns)) {
    next->from_boot_ns = boot_ns;  // it was set earlier than was known
    return true;
  }
  settings_.insert(next, {boot_ns, offset_ns});
  if (settings_.size() > kMostSettings) settings_.erase(settings_.begin());
  return true;
}

std::int64_t ClockHistory::offset_at(std::uint64_t boot_ns) const {
  if (settings_.empty()) return 0;
  const auto next = std::upper_bound(settings_.begin(), settings_.end(), boot_ns, later);
  return next == settings_.begin() ? next->offset_ns : std::prev(next)->offset_ns;
}

std::int64_t ClockHistory::lowest_since(std::uint64_t boot_ns) const {
  std::int64_t lowest = offset_at(boot_ns);
  for (const Setting& setting : settings_) {
    if (later(boot_ns, setting)) lowest = std::min(lowest, setting.offset_ns);
  }
  return lowest;
}

}  // namespace oomtrace
