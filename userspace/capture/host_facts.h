// SPDX-License-Identifier: Apache-2.0
// The facts of the host that a report needs: read once at start, they become the trace's first event.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "capture/bpf_session.h"
#include "features/attach_plan.h"
#include "oomtrace/event.h"

namespace oomtrace::capture {

// Owns the text that the TraceStart event views.
struct HostFacts {
  std::string trace_id;  // 32 hex digits; of one boot the later is the greater
  std::string boot_id;
  std::string host_name;
  std::string host_id;
  std::string kernel_release, kernel_version, arch;
  std::uint32_t page_size = 4096;
  std::uint32_t cpus = 1;
  std::int64_t realtime_offset_ns = 0;
  std::optional<std::uint64_t> mem_total, swap_total;
  std::optional<int> cgroup_version;  // of the memory controller; nullopt = no memory controller
  std::string memcg_mount;            // where its hierarchy is mounted; empty = nowhere
  std::optional<std::int64_t> overcommit_memory, overcommit_ratio, panic_on_oom, oom_kill_allocating_task,
      oom_dump_tasks, swappiness;
  std::optional<std::uint64_t> overcommit_kbytes;
};

HostFacts read_host_facts();

// A number out of a sysctl's file; nullopt where there is none.
std::optional<std::int64_t> read_sysctl(const char* path);

// CLOCK_BOOTTIME now, in ns.
std::uint64_t boot_now_ns();

// CLOCK_REALTIME less CLOCK_BOOTTIME, ns, to half a millisecond; nullopt where the caller was held up between reading
// one and the other, and again.
std::optional<std::int64_t> read_realtime_offset();

// The event of these facts. Views into `facts`, `plan_text` and `warnings`, which must outlive it.
struct PlanText {
  std::vector<std::string> why;  // one for each fact of the plan
};
TraceStart make_trace_start(const HostFacts& facts, const features::AttachPlan& plan, PlanText& plan_text,
                            const std::vector<std::string>& warnings, const std::string& command);

}  // namespace oomtrace::capture
