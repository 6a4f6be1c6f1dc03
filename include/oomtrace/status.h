// SPDX-License-Identifier: Apache-2.0
// The recorder's own state, passive, for the live status line and for metrics.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace oomtrace {

struct RecorderStatus {
  std::uint64_t events = 0;       // given a seq so far
  std::uint64_t lost_events = 0;  // all sources together
  std::uint64_t kills = 0;        // processes killed by the OOM killer
  std::uint64_t processes = 0;    // alive now
  std::uint64_t trace_bytes = 0;  // written to the file
  std::uint64_t mem_available_bytes = 0;
};

// Who kills for want of memory: the kernel's OOM killer, or a program known by this name that sends SIGKILL.
inline constexpr std::array<std::string_view, 6> kKillers = {"kernel",   "systemd-oomd", "oomd",
                                                             "earlyoom", "nohang",       "kubelet"};
// What ran out of memory, in the order of DomainKind; programs do not say, so theirs is unknown.
inline constexpr std::array<std::string_view, 6> kScopes = {"unknown", "global",    "memcg",
                                                            "cpuset",  "mempolicy", "sysrq"};
// In the order of model::Role.
inline constexpr std::array<std::string_view, 7> kRoles = {"trainer",     "dataloader_worker", "worker", "launcher",
                                                           "shm_manager", "compile_worker",    "other"};
// Where events get lost: sources of trace.lost ("program" stands for all "program.NAME"), then what outputs did not
// take.
inline constexpr std::array<std::string_view, 14> kLossSources = {
    "ring.kill", "ring.lifecycle", "ring.growth", "process_table", "way.candidates", "decoder", "kernel_log",
    "reorder",   "queue",          "program",     "other",         "trace",          "stream",  "metrics"};
enum LossSource : std::size_t { kLossProgram = 9, kLossOther, kLossTrace, kLossStream, kLossMetrics };

// What is left of a limit, clean page cache counted as room.
struct Headroom {
  std::uint64_t bytes = 0;
  std::uint64_t limit_bytes = 0;
};

struct RoleFigures {
  std::uint64_t processes = 0;
  std::uint64_t resident_bytes = 0;  // of the living: anonymous, file and shmem pages as each maps them
  std::uint64_t grown_bytes = 0;     // since the start, by processes of this role; giving back is not taken off
};

// Everything that a scrape tells, at one instant.
struct RecorderMetrics {
  RecorderStatus recorder;
  std::array<std::array<std::uint64_t, kScopes.size()>, kKillers.size()> kills{};  // [killer][scope], processes
  std::int64_t last_kill_wall_ns = 0;                                              // 0 = none yet
  std::array<std::uint64_t, kLossSources.size()> lost{};                           // events
  std::optional<Headroom> machine;                                                 // MemAvailable of MemTotal
  std::optional<Headroom> tightest_cgroup;  // of the cgroups with a limit, the one with the least share left
  std::array<RoleFigures, kRoles.size()> roles{};
  std::int64_t start_wall_ns = 0;
};

}  // namespace oomtrace
