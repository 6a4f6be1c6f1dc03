// SPDX-License-Identifier: Apache-2.0
// Which of a process's counters this kernel's OOM killer weighs.
//
// Since 6.2 they are per-CPU counters. oom_badness(), dump_tasks() and the "Killed process" line read the approximate
// total on some kernels (6.12, 6.18) and the exact sum on others (7.3); neither BTF nor a symbol tells, and fixes are
// carried back. So it is learnt from the kernel's own words: the points that its scan gave, else the task table that it
// logs before it kills. Both counters of a process are in its record; where they are equal there is nothing to learn.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "capture/kernel_log_follower.h"
#include "oomtrace/abi.h"

namespace oomtrace::capture {

class CounterCalibration {
 public:
  // Takes all the memory that it ever needs. `log`: a follower of its own.
  CounterCalibration(std::uint32_t page_size, KernelLogFollower log);

  // A new decision: forgets the processes of the last one, not what was learnt.
  void begin_decision();
  // A process of the decision, as it was read; remembered until the log is looked at. At most so many as fit.
  void note(std::uint32_t tgid, const oomtrace_mm& mm, const oomtrace_rss& exact);

  // The kernel gave these points to a process with these counters.
  void learn_from_points(const oomtrace_mm& mm, const oomtrace_rss& exact, std::int32_t adj, std::uint64_t total_pages,
                         std::int64_t kernel_points);
  // The last task table of a kernel log, lines without a prefix, held against the noted processes.
  void learn_from_table(std::string_view log);
  // The same with what has been logged since the last look; does nothing where that would teach nothing.
  void learn_from_kernel_log();
  // Passes over what has been logged so far: no kill that is still to be looked at can be in it.
  void skip_kernel_log();

  bool settled() const { return votes_.exact != votes_.approximate; }
  // True: the exact sums count. Not settled: the approximate ones are taken, as most kernels do.
  bool exact() const { return votes_.exact > votes_.approximate; }

  // Makes the counters and points of an OOM_KILL or OOM_CANDIDATE record those that the kernel weighed.
  void apply(oomtrace_oom_kill& record) const;
  void apply(oomtrace_oom_candidate& record) const;

 private:
  struct Noted {
    std::uint32_t tgid;
    std::int64_t approximate_rss;
    std::int64_t exact_rss;
  };
  struct Votes {
    std::uint64_t approximate = 0, exact = 0;
    void add(bool approximate_fits, bool exact_fits);
  };
  // A line of a log: a table's header begins its votes anew.
  void count_line(std::string_view line, Votes& table) const;
  void take(const Votes& table);

  std::uint32_t page_size_;
  KernelLogFollower log_;
  std::vector<Noted> noted_;
  Votes votes_;
};

// A row of dump_tasks(): "[    994]     0   994     7927     7842 ...".
struct TableRow {
  std::uint32_t tgid = 0;
  std::int64_t rss_pages = 0;
};
// False where the line is no row. The first five columns are the same on every kernel that has per-CPU counters.
bool parse_table_row(std::string_view line, TableRow& row);

// oom_badness(): see bpf/helpers/read_task.bpf.h.
std::int64_t points_of(const oomtrace_mm& mm, std::int32_t adj, std::uint64_t total_pages, std::uint32_t page_size);

}  // namespace oomtrace::capture
