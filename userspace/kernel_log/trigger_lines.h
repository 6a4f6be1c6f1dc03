// SPDX-License-Identifier: Apache-2.0
// The lines that name the trigger: the invoked line, the header that dump_stack() prints, the frames under it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kernel_log/oom_report.h"

namespace oomtrace::kernel_log {

// "COMM invoked oom-killer: gfp_mask=0xN[(NAMES)], [nodemask=L, ]order=N, oom_score_adj=N"; also "oom-killer:
// gfp_mask=0xN" (before 2.6.19) and oom_adj. nullopt if the line is none.
std::optional<TriggerLine> parse_invoked(std::string_view message);

// "CPU: N [UID: N] PID: N Comm: C [Kdump: loaded] (Not tainted|Tainted: FLAGS) RELEASE #BUILD" and, before 3.10,
// "Pid: N, comm: C Not tainted RELEASE #BUILD". release is empty where it was cut off.
struct HeaderLine {
  std::uint32_t tid = 0;
  std::string comm;
  std::string release;
};
std::optional<HeaderLine> parse_header(std::string_view message);

// "COMM cpuset=P mems_allowed=L" (before 5.0).
struct CpusetLine {
  std::string comm, cpuset, mems_allowed;
};
std::optional<CpusetLine> parse_cpuset(std::string_view message);

// The function of a frame: "fn" of " fn+0x12/0x34 [module]", "[<ffff>] fn+0x12/0x34". Unreliable frames ("? fn") give
// an empty name; nullopt if the line is no frame.
std::optional<std::string> parse_frame(std::string_view message);

// Release of "Linux version 6.12.1 (...) #1 SMP ...", the first line of a boot; nullopt if the line is another.
struct BootLine {
  std::string release, version;
};
std::optional<BootLine> parse_boot(std::string_view message);

}  // namespace oomtrace::kernel_log
