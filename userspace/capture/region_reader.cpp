// SPDX-License-Identifier: Apache-2.0
// The programs go on counting while an entry is copied: a count may be of a moment later, never torn.
#include "capture/region_reader.h"

#include <bpf/bpf.h>

#include <utility>

namespace oomtrace::capture {

namespace {

constexpr std::size_t kRegionsInLine = 200;  // of at most 60 bytes each, see codec::kMaxLineBytes

}  // namespace

std::vector<ProcessRegions> describe_regions(std::uint32_t pid, const oomtrace_regions& entry) {
  if (entry.shift < OOMTRACE_REGION_SHIFT || entry.shift >= 64) return {};
  std::vector<WrittenRegion> written;
  std::uint64_t faults = entry.elsewhere;
  for (const oomtrace_region& region : entry.at) {
    if (region.number == 0 || region.faults == 0) continue;
    written.push_back({(std::uint64_t{region.number} - 1) << entry.shift, region.faults});
    faults += region.faults;
  }
  std::vector<ProcessRegions> events;
  if (faults < kWorthTellingFaults) return events;
  for (std::size_t at = 0; at < written.size() || events.empty(); at += kRegionsInLine) {
    ProcessRegions& event = events.emplace_back();
    event.process.pid = pid;
    event.process.start_boot_ns = entry.start_boot_ns;
    event.region_bytes = std::uint64_t{1} << entry.shift;
    event.elsewhere = entry.elsewhere;
    for (std::size_t i = at; i < written.size() && i < at + kRegionsInLine; ++i) event.regions.push_back(written[i]);
  }
  return events;
}

bool outdated(const oomtrace_regions& entry, std::uint64_t now_boot_ns) {
  return entry.ended_boot_ns != 0 && now_boot_ns > entry.ended_boot_ns + OOMTRACE_KILL_IS_NEW_NS;
}

template <class Visit>
void RegionReader::visit(Visit take) {
  if (map_fd_ < 0) return;
  entry_.resize(1);
  std::vector<std::uint32_t> pids;  // first all, then each: taking one out would restart the walk
  std::uint32_t pid = 0;
  const std::uint32_t* last = nullptr;
  constexpr std::size_t kMost = 65536;  // a walk beside changes may come back to where it was
  while (pids.size() < kMost && bpf_map_get_next_key(map_fd_, last, &pid) == 0) {
    pids.push_back(pid);
    last = &pid;
  }
  for (const std::uint32_t one : pids) {
    if (bpf_map_lookup_elem(map_fd_, &one, entry_.data()) != 0) continue;
    if (take(one, entry_.front())) bpf_map_delete_elem(map_fd_, &one);
  }
}

std::vector<ProcessRegions> RegionReader::read() {
  std::vector<ProcessRegions> events;
  visit([&](std::uint32_t pid, const oomtrace_regions& entry) {
    for (ProcessRegions& event : describe_regions(pid, entry)) events.push_back(std::move(event));
    return entry.ended_boot_ns != 0;
  });
  return events;
}

void RegionReader::forget_outdated(std::uint64_t now_boot_ns) {
  visit([now_boot_ns](std::uint32_t, const oomtrace_regions& entry) { return outdated(entry, now_boot_ns); });
}

}  // namespace oomtrace::capture
