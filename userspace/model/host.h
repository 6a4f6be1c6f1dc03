// SPDX-License-Identifier: Apache-2.0
// What the trace says of itself and of its host: facts, plan, losses, memory and pressure over time. Passive data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock_history.h"
#include "model/process.h"
#include "model/timeline.h"
#include "oomtrace/event.h"

namespace oomtrace::model {

struct PlanEntry {
  std::string fact, way, why_not_better;
};

// trace.start with text of its own.
struct HostFacts {
  std::string tool_version, kernel_release, kernel_version, arch, source, command;
  bool narrowed = false;        // to chosen processes or cgroups
  std::uint32_t page_size = 0;  // 0 = not known
  std::uint32_t cpus = 0;
  std::optional<std::uint64_t> mem_total, swap_total;
  std::optional<int> cgroup_version;
  std::optional<std::int64_t> overcommit_memory, overcommit_ratio, panic_on_oom, oom_kill_allocating_task,
      oom_dump_tasks, swappiness;
  std::optional<std::uint64_t> overcommit_kbytes;
  std::vector<PlanEntry> plan;
  std::vector<std::string> warnings;
  std::vector<std::string> selected_kinds;  // empty = all
};

struct Loss {
  std::uint64_t count = 0;
  std::string detail;  // the last one told
};

struct Trace {
  std::string id;
  std::size_t boot = 0;
  bool started = false;  // trace.start seen
  HostFacts host;
  std::uint64_t first_boot_ns = 0, last_boot_ns = 0;
  std::int64_t first_wall_ns = 0, last_wall_ns = 0;  // 0 = not known
  std::uint64_t events = 0;
  std::optional<std::string> stop_reason;  // trace.stop seen
  std::optional<int> command_status;
  std::map<std::string, Loss> losses;  // by source
};

struct SystemSample {
  SystemMemory memory;
  bool same_figures(const SystemSample&) const { return false; }
  void absorb(const SystemSample&) {}
};

struct PressureSample {
  std::optional<Pressure> some, full;
  bool same_figures(const PressureSample&) const { return false; }
  void absorb(const PressureSample&) {}
};

struct Mount {
  std::string mount_point, fstype;
  std::optional<std::uint64_t> size, used;
};

struct Boot {
  explicit Boot(std::size_t samples) : memory(samples) {}

  std::string id;
  std::string host_name, host_id;
  ClockHistory clock;  // by live traces
  Timeline<SystemSample> memory;
  std::map<std::string, Timeline<PressureSample>> pressure;  // by resource
  std::vector<Mount> mounts;                                 // as last told
  std::uint64_t incidents = 0;                               // so far
};

struct CgroupSample {
  std::optional<std::uint64_t> usage, limit, high, swap_usage, swap_limit, peak;
  std::optional<std::uint64_t> anon, file, shmem, kernel, slab, page_tables, file_mapped, oom_kills;
  bool operator==(const CgroupSample&) const = default;
  bool same_figures(const CgroupSample& other) const { return *this == other; }
  void absorb(const CgroupSample&) {}
};

struct Cgroup {
  explicit Cgroup(std::size_t samples) : memory(samples) {}

  CgroupName name;
  int version = 2;
  Timeline<CgroupSample> memory;
};

}  // namespace oomtrace::model
