// SPDX-License-Identifier: Apache-2.0
// The lines that name a victim: mm/oom_kill.c of 2.6.0 to 7.3.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kernel_log/oom_report.h"

namespace oomtrace::kernel_log {

// "[MSG: ]Killed process N[, UID U,] (COMM)[ total-vm:..kB, anon-rss:..kB, ...]" and
// "MSG: OOM victim N (COMM) is already exiting. Skip killing the task". nullopt if the line is none.
std::optional<KillLine> parse_killed(std::string_view message);

// "MSG: Kill process N (COMM) score S or sacrifice child" (also "kill process", "or a child"). nullopt if it is none.
std::optional<SelectionLine> parse_selection(std::string_view message);

// "oom-kill:constraint=C,nodemask=L[,cpuset=P,mems_allowed=L][,oom_memcg=P|,global_oom][,task_memcg=P],task=C,pid=N,uid=N":
// read from the right, since names and paths may hold anything. Fields that a cut line lacks stay empty.
std::optional<ConstraintLine> parse_constraint(std::string_view message);

// "Task in P killed as a result of limit of P" and "Memory limit reached of cgroup P" (before 5.0).
std::optional<ConstraintLine> parse_limit_of(std::string_view message);

// "Tasks in P are going to be killed due to memory.oom.group set": P.
std::optional<std::string> parse_group(std::string_view message);

// "oom_reaper: reaped process N (COMM), now anon-rss:..".
struct ReapedLine {
  std::uint32_t pid = 0;
  std::string comm;
  Opt<std::uint64_t> anon_rss_kb, file_rss_kb, shmem_rss_kb;
};
std::optional<ReapedLine> parse_reaped(std::string_view message);

// "Kill process N (COMM) sharing same memory" (before 4.6).
struct SharerLine {
  std::uint32_t pid = 0;
  std::string comm;
};
std::optional<SharerLine> parse_sharer(std::string_view message);

}  // namespace oomtrace::kernel_log
