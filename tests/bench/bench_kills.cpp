// SPDX-License-Identifier: Apache-2.0
// Makes the trace of a machine on which one after the other is killed in a cgroup: bench_kills FILE KILLS, always the
// same for a number. `oomtrace report FILE` reads it back.
//
// Every two seconds a child of a supervisor in the cgroup grows into the limit and is killed, with candidates and the
// cgroup's figures; around it others live throughout, and some are born and die within a second.
#include "bench_trace.h"
#include "support/event_builder.h"

namespace {

using namespace oomtrace;

constexpr std::int64_t kMiB = 1 << 20;
constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::uint64_t kBegin = 3'600'000 * kMillisecond;
constexpr std::uint64_t kPeriod = 2'000 * kMillisecond;
constexpr std::uint64_t kLimit = 64 * kMiB;
constexpr std::uint32_t kSupervisor = 900, kBystanders = 24, kBrief = 40, kFirstVictim = 10'000,
                        kFirstBrief = 1'000'000;
constexpr int kSteps = 10;  // samples of a victim

class Maker {
 public:
  explicit Maker(bench::Trace& trace) : trace_(trace) {}

  bool make(std::uint32_t kills) {
    trace_.start(kBegin, 8ULL << 30);
    for (std::uint32_t i = 0; i < kBystanders; ++i) sample(0, bystander(i), 40 + i, kElsewhere);
    sample(0, supervisor(), 4, kGroup);
    for (std::uint32_t number = 1; number <= kills; ++number) kill_one(number);
    put(kPeriod * (kills + 1), TraceStop{});
    return trace_.close();
  }

 private:
  static constexpr CgroupRef kGroup = {4242, "/soak"}, kElsewhere = {77, "/system.slice"};

  static ProcessRef supervisor() { return {kSupervisor, kBegin - 5'000 * kMillisecond, "supervisor"}; }
  static ProcessRef bystander(std::uint32_t i) { return {1000 + i, kBegin - (100 + i) * kMillisecond, "bystander"}; }

  static MemoryCounters counters(std::int64_t mib) {
    MemoryCounters memory;
    memory.anon = mib * kMiB;
    memory.file = 2 * kMiB;
    memory.pgtables = static_cast<std::uint64_t>(mib) << 11;
    memory.total_vm = 1ULL << 30;
    memory.hiwater_rss = static_cast<std::uint64_t>(memory.anon + memory.file);
    return memory;
  }
  void sample(std::uint64_t at_ns, const ProcessRef& process, std::int64_t mib, const CgroupRef& cgroup,
              std::uint64_t write_faults = 0) {
    ProcessMemory told;
    told.process = process;
    told.parent_pid = process.pid == kSupervisor ? 1 : kSupervisor;
    told.cgroup = cgroup;
    told.memory = counters(mib);
    told.faults.fresh = static_cast<std::uint64_t>(mib) << 8;
    told.faults.write_protect = write_faults;
    put(at_ns, told);
  }
  void candidate(std::uint64_t at_ns, std::uint64_t number, const ProcessRef& process, std::int64_t mib) {
    OomCandidate row;
    row.incident_id = number;
    row.process = process;
    row.memory = counters(mib);
    row.oom_score_adj = 0;
    row.cgroup = kGroup;
    put(at_ns, row);
  }

  void kill_one(std::uint32_t number) {
    const std::uint64_t begun = kPeriod * number;
    const ProcessRef victim{kFirstVictim + number, kBegin + begun, "hog"};
    put(begun, ProcessFork{supervisor(), victim, 0x1200011, 0, kGroup, counters(4)});
    for (std::uint32_t i = 0; i < kBrief; ++i) {
      const ProcessRef brief{kFirstBrief + number * kBrief + i, kBegin + begun, "sh"};
      put(begun + kMillisecond, ProcessFork{bystander(i % 2), brief, 0x1200011, 0, kElsewhere, counters(40)});
      exit(begun + 2 * kMillisecond, brief, i % 2 == 0 ? 0x100 : 0, 41);
    }
    for (int step = 1; step < kSteps; ++step) {
      const std::uint64_t at_ns = begun + static_cast<std::uint64_t>(step) * 100 * kMillisecond;
      sample(at_ns, victim, 4 + std::int64_t{54} * step / kSteps, kGroup, static_cast<std::uint64_t>(step) * 20);
      const std::uint32_t other = (number * kSteps + static_cast<std::uint32_t>(step)) % kBystanders;
      sample(at_ns + kMillisecond, bystander(other), 40 + other + number % 7, kElsewhere);
    }
    sample(begun + 950 * kMillisecond, supervisor(), 4 + number % 2, kGroup, number);
    CgroupMemory group;
    group.cgroup = kGroup;
    group.usage = kLimit - kMiB;
    group.limit = kLimit;
    group.anon = 60 * kMiB;
    group.file = 2 * kMiB;
    put(begun + 990 * kMillisecond, group);
    end(begun + 1'000 * kMillisecond, number, victim);
    exit(begun + 1'010 * kMillisecond, victim, 9, 58);
  }

  void end(std::uint64_t at_ns, std::uint64_t number, const ProcessRef& victim) {
    OomKill kill = test::memcg_kill(number, victim, counters(58), kGroup, kLimit);
    kill.decision.way = {};  // as in the traces that earlier figures were taken of
    put(at_ns, kill);
    candidate(at_ns, number, supervisor(), 4);
    candidate(at_ns, number, victim, 58);
    put(at_ns, OomEnd{number, 2, 2, 0, Provenance::kKernelWalk, false});
  }
  void exit(std::uint64_t at_ns, const ProcessRef& process, std::uint32_t status, std::int64_t mib) {
    ProcessExit told;
    told.process = process;
    told.wait_status = status;
    told.oom_victim = status == 9;
    told.memory = counters(mib);
    put(at_ns, told);
  }

  void put(std::uint64_t at_ns, const Payload& payload) { trace_.put(kBegin + at_ns, payload); }

  bench::Trace& trace_;
};

bool make(bench::Trace& trace, std::uint32_t kills) { return Maker(trace).make(kills); }

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv, "bench_kills FILE KILLS", std::uint32_t{1}, make); }
