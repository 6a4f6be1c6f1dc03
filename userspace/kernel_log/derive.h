// SPDX-License-Identifier: Apache-2.0
// What follows from a report though no line says it: page size, domain, the kernel's total pages.
#pragma once

#include <cstdint>
#include <optional>

#include "kernel_log/oom_report.h"
#include "oomtrace/event.h"

namespace oomtrace::kernel_log {

// The page size in bytes, from the first of: a buddy line, the victim's pages beside its kB, the limit that stands for
// "none", x86 (by release, registers or frames), Mem-Info's pages beside its kB, what all page tables are multiples of.
// nullopt where none of these is there.
std::optional<std::uint32_t> page_size_of(const OomReport& report);

// The domain as the text shows it; kUnknown where it does not.
DomainKind domain_of(const OomReport& report);

// oom_control.totalpages as constrained_alloc(), mm/oom_kill.c, sums it up: for the whole machine, for nodes, or for a
// memcg with its swap. nullopt where an addend is not known.
std::optional<std::uint64_t> total_pages_of(const OomReport& report, DomainKind domain,
                                            std::optional<std::uint32_t> page_size);

// The row of a process, by the pid that kill lines print (a thread's where the leader is gone).
const TaskRow* row_of(const OomReport& report, std::uint32_t pid);

// Whether an old enough kernel prints totals that are no exact page counts ("3.10.0-957" -> {3, 10}).
struct KernelVersion {
  std::uint32_t major = 0, minor = 0;
  auto operator<=>(const KernelVersion&) const = default;
};
std::optional<KernelVersion> kernel_version_of(std::string_view release);

}  // namespace oomtrace::kernel_log
