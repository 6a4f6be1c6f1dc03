// SPDX-License-Identifier: Apache-2.0
// The loaded BPF programs: open, configure, load, attach, in that order; rings, census and loss counters.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/fd.h"
#include "capture/bpf_handles.h"
#include "capture/kernel_symbols.h"
#include "capture/region_reader.h"
#include "capture/scan_reader.h"
#include "features/attach_plan.h"
#include "oomtrace/result.h"

namespace oomtrace::capture {

struct BpfOptions {
  std::uint32_t page_size = 4096;
  bool memcg_v1 = false;
  bool exit_tells_last = false;                   // KernelFacts'
  std::vector<std::uint64_t> node_present_pages;  // by NUMA node; empty = not known
  std::uint32_t kill_ring_bytes = 4U << 20;       // rounded up to a power of two of pages
  std::uint32_t lifecycle_ring_bytes = 4U << 20;
  std::uint32_t growth_ring_bytes = 1U << 20;
  std::uint32_t max_processes = 32768;
  std::uint32_t max_family_members = 256;            // processes whose writes are counted by region
  std::uint64_t family_threshold_bytes = 16U << 20;  // a fork that passes on less makes no family
  std::uint64_t move_threshold_bytes = 4U << 20;
  std::uint64_t move_interval_ns = 100'000'000;
};

// What the programs need to know of the machine; kept up to date while running.
struct MachineNumbers {
  std::uint64_t ram_pages = 0;
  std::uint64_t swap_pages = 0;
  std::uint64_t swappiness = 60;
  bool oom_kill_allocating_task = false;
};

struct ProgramLoss {
  std::string program;
  std::uint64_t missed = 0;  // bpf_prog_info.recursion_misses: runs that the kernel skipped
};

// Takes one record of a ring or of the census; must not throw.
using RecordHandler = std::function<void(oomtrace_ring ring, std::span<const std::byte> record)>;

// Not movable: the rings hold its address.
class BpfSession {
 public:
  // Fails with kPermission, kKernelUnsupported; the message holds the verifier's last lines where it refused.
  static Result<std::unique_ptr<BpfSession>> open(const features::AttachPlan& plan, const KernelSymbols& symbols,
                                                  const BpfOptions& options, RecordHandler handler);
  ~BpfSession();
  BpfSession(const BpfSession&) = delete;
  BpfSession& operator=(const BpfSession&) = delete;

  int epoll_fd() const;

  // Hands all waiting records to the handler: the kill ring's last, so that what led there is already in.
  void drain();

  // Runs the iterator over all processes; `all`: also those that did not change. False where this kernel has none.
  bool census(bool all);
  // Runs the one that tells all processes as candidates of a decision (OOM_CANDIDATE records that do not name it).
  bool census_candidates(std::uint64_t decision);

  // What the kernel's own scan weighed for this kill; empty where the plan does not watch it.
  std::span<oomtrace_oom_candidate> scanned(const oomtrace_oom_kill& kill) { return scan_reader_.read(kill); }

  // Where the processes of forked families wrote.
  RegionReader& regions() { return region_reader_; }

  void set_machine(const MachineNumbers& numbers);

  std::uint64_t lost_records(oomtrace_ring ring) const;
  std::uint64_t lost_processes() const;
  std::uint64_t lost_regions() const;
  std::vector<ProgramLoss> missed_runs() const;
  std::vector<std::string> programs() const;

  // What a ring's callback gets.
  struct RingContext {
    const RecordHandler* handler;
    oomtrace_ring ring;
  };

 private:
  BpfSession() = default;
  Result<void> configure(const features::AttachPlan& plan, const KernelSymbols& symbols, const BpfOptions& options);
  Result<void> load_and_attach(const features::AttachPlan& plan);
  Result<void> make_rings();
  bool run_iterator(const Link& link);

  RecordHandler handler_;
  Skeleton skeleton_;
  std::vector<Link> links_;
  Link census_link_;
  Link candidates_link_;
  Rings rings_;
  ScanReader scan_reader_;
  RegionReader region_reader_;
  RingContext contexts_[OOMTRACE_RING_COUNT]{};
  std::vector<std::byte> census_buffer_;
};

}  // namespace oomtrace::capture
