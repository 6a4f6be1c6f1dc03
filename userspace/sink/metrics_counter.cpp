// SPDX-License-Identifier: Apache-2.0
// From events to counts.
#include "sink/metrics_counter.h"

#include <algorithm>
#include <string_view>

namespace oomtrace::sink {
namespace {

// The session samples each cgroup once a second: one that was not seen for so long is gone.
constexpr std::uint64_t kStaleNs = 10'000'000'000;
constexpr std::int32_t kSigkill = 9;

template <std::size_t N>
std::size_t index_of(const std::array<std::string_view, N>& names, std::string_view name, std::size_t otherwise) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? otherwise : static_cast<std::size_t>(found - names.begin());
}

// Less than `b`'s share of its limit. Exact in 128 bits, which g++ and clang both have.
__extension__ using Wide = unsigned __int128;
bool is_tighter(const Headroom& a, const Headroom& b) {
  return Wide{a.bytes} * b.limit_bytes < Wide{b.bytes} * a.limit_bytes;
}

}  // namespace

void MetricsCounter::on_event(const Event& event) noexcept {
  if (metrics_.start_wall_ns == 0) metrics_.start_wall_ns = event.wall_ns;
  if (const auto* kill = std::get_if<OomKill>(&event.payload)) {
    on(*kill, event);
  } else if (const auto* signal = std::get_if<SignalKill>(&event.payload)) {
    on(*signal, event);
  } else if (const auto* lost = std::get_if<TraceLost>(&event.payload)) {
    on(*lost);
  } else if (const auto* memory = std::get_if<SystemMemory>(&event.payload)) {
    if (memory->available && memory->total) metrics_.machine = Headroom{*memory->available, *memory->total};
    find_tightest(event.boot_ns);
  } else if (const auto* cgroup = std::get_if<CgroupMemory>(&event.payload)) {
    on(*cgroup, event.boot_ns);
  }
}

void MetricsCounter::on(const OomKill& kill, const Event& event) noexcept {
  if (kill.already_dying || !kill.no_victim.empty()) return;
  ++metrics_.kills[0][static_cast<std::size_t>(kill.decision.domain)];
  metrics_.last_kill_wall_ns = event.wall_ns;
}

void MetricsCounter::on(const SignalKill& signal, const Event& event) noexcept {
  if (signal.signal != kSigkill || signal.from_kernel || signal.in_oom_kill) return;
  const std::size_t killer = index_of(kKillers, signal.sender.comm, 0);
  if (killer == 0) return;  // a person, a launcher: no want of memory
  ++metrics_.kills[killer][static_cast<std::size_t>(DomainKind::kUnknown)];
  metrics_.last_kill_wall_ns = event.wall_ns;
}

void MetricsCounter::on(const TraceLost& lost) noexcept {
  const bool program = lost.source.starts_with("program.");
  metrics_.lost[program ? std::size_t{kLossProgram} : index_of(kLossSources, lost.source, kLossOther)] += lost.count;
}

void MetricsCounter::on(const CgroupMemory& memory, std::uint64_t boot_ns) noexcept {
  if (!memory.usage || !memory.limit || *memory.limit == 0) return;
  const std::uint64_t file = memory.file.value_or(0);
  const std::uint64_t cache = file - std::min(file, memory.shmem.value_or(0));
  const std::uint64_t used = *memory.usage - std::min(*memory.usage, cache);
  const auto end = cgroups_.begin() + static_cast<std::ptrdiff_t>(cgroup_count_);
  auto place = std::find_if(cgroups_.begin(), end, [&](const Cgroup& one) { return one.id == memory.cgroup.id; });
  if (place == end) {
    if (cgroup_count_ == kMaxCgroups) return;
    ++cgroup_count_;
  }
  *place = {memory.cgroup.id, boot_ns, {*memory.limit - std::min(*memory.limit, used), *memory.limit}};
}

void MetricsCounter::find_tightest(std::uint64_t boot_ns) noexcept {
  metrics_.tightest_cgroup.reset();
  for (std::size_t i = 0; i < cgroup_count_;) {
    if (boot_ns > cgroups_[i].boot_ns + kStaleNs) {
      cgroups_[i] = cgroups_[--cgroup_count_];
      continue;
    }
    const Headroom& headroom = cgroups_[i].headroom;
    if (!metrics_.tightest_cgroup || is_tighter(headroom, *metrics_.tightest_cgroup))
      metrics_.tightest_cgroup = headroom;
    ++i;
  }
}

}  // namespace oomtrace::sink
