// SPDX-License-Identifier: Apache-2.0
// Reads where the processes of forked families wrote (bpf/helpers/regions.bpf.h).
#pragma once

#include <cstdint>
#include <vector>

#include "oomtrace/bpf_globals.h"
#include "oomtrace/event.h"

namespace oomtrace::capture {

// Faults in a process's regions below this are not worth a line: no duplicated data set is so small.
inline constexpr std::uint64_t kWorthTellingFaults = 256;

// Events of one process's entry, as many as its regions need to fit into lines; none where there is little to tell.
std::vector<ProcessRegions> describe_regions(std::uint32_t pid, const oomtrace_regions& entry);

bool outdated(const oomtrace_regions& entry, std::uint64_t now_boot_ns);

class RegionReader {
 public:
  RegionReader() = default;
  explicit RegionReader(int map_fd) : map_fd_(map_fd) {}

  // Of all families, as it is now; entries of processes that have ended are taken out. Empty where the map cannot be
  // read: it is history for a kill and nothing depends on it.
  std::vector<ProcessRegions> read();
  // Takes out the entries of processes that ended too long ago to be told with a kill that is not complete yet.
  void forget_outdated(std::uint64_t now_boot_ns);

 private:
  template <class Visit>  // bool take(pid, entry): whether the entry has done its duty
  void visit(Visit take);

  int map_fd_ = -1;
  std::vector<oomtrace_regions> entry_;  // one: too large for the stack of a consumer
};

}  // namespace oomtrace::capture
