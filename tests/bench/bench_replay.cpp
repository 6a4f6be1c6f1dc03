// SPDX-License-Identifier: Apache-2.0
// Makes the trace of a training machine, of any length and always the same: bench_replay FILE EVENTS. Says how many
// events a second of CPU time went in, and how many bytes each takes; `oomtrace report FILE` reads it back.
//
// Of eight events five are samples of 64 processes that live throughout, the others birth, program and end of a process
// that is gone at once: what a recording of a busy DataLoader run is made of. The last but one is a kill.
#include <ctime>

#include "bench_trace.h"

namespace {

using namespace oomtrace;

constexpr std::uint32_t kLongLived = 64;
constexpr std::uint32_t kFirstPid = 1000;
constexpr std::uint32_t kPids = 1U << 22;  // PID_MAX_LIMIT
constexpr std::uint64_t kStart = 3'600'000'000'000;
constexpr std::uint64_t kStep = 100'000;  // ns between two events

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

class Maker {
 public:
  explicit Maker(bench::Trace& trace) : trace_(trace) {}

  bool make(std::uint64_t events) {
    if (!trace_.start(next_ns(), 64ULL << 30)) return false;
    while (trace_.events() + 2 < events) {
      if (!put(next())) return false;
    }
    return put(kill()) && put(TraceStop{}) && trace_.close();
  }

 private:
  static ProcessRef long_lived(std::uint32_t number) {
    return {kFirstPid + number, kStart - (kLongLived - number) * 1'000'000'000ULL,
            number == 0 ? "pt_main_thread" : "python3"};
  }
  ProcessRef short_lived() const {
    const auto pid = static_cast<std::uint32_t>(2 * kFirstPid + round_ % (kPids - 2 * kFirstPid));
    return {pid, kStart + round_ * 8 * kStep, "sh"};
  }
  static MemoryCounters counters(std::uint64_t pages) {
    MemoryCounters memory;
    memory.anon = static_cast<std::int64_t>(pages * 4096);
    memory.file = 180 << 20;
    memory.pgtables = pages * 8;
    memory.total_vm = 12ULL << 30;
    return memory;
  }

  Payload next() {
    const std::uint64_t place = trace_.events() % 8;
    if (place == 0) ++round_;
    if (place == 5) return ProcessFork{long_lived(0), short_lived(), 0x1200011, 1000, {4242, {}}, counters(100)};
    if (place == 6) {
      ProcessExec exec;
      exec.process = short_lived();
      exec.executable = "/usr/bin/nvidia-smi";
      return exec;
    }
    if (place == 7) {
      ProcessExit exit;
      exit.process = short_lived();
      exit.wait_status = 0;
      exit.memory = counters(900);
      exit.faults.fresh = 850;
      return exit;
    }
    ProcessMemory sample;
    const auto number = static_cast<std::uint32_t>(samples_++ % kLongLived);
    const std::uint64_t grown = samples_ / kLongLived;
    sample.process = long_lived(number);
    sample.parent_pid = number == 0 ? 900 : kFirstPid;
    sample.uid = 1000;
    sample.oom_score_adj = 0;
    sample.cgroup = {4242, "/slurm/uid_1000/job_77/step_0"};
    sample.memory = counters(100'000 + grown);
    sample.faults.fresh = 100'000 + grown;
    sample.faults.write_protect = grown / 2;
    return sample;
  }

  static OomKill kill() {
    OomKill kill;
    kill.decision.incident_id = 1;
    kill.decision.trigger = long_lived(1);
    kill.victim = long_lived(0);
    return kill;
  }

  std::uint64_t next_ns() const { return kStart + (trace_.events() + 1) * kStep; }
  bool put(const Payload& payload) { return trace_.put(next_ns(), payload); }

  bench::Trace& trace_;
  std::uint64_t round_ = 0, samples_ = 0;
};

bool make(bench::Trace& trace, std::uint64_t events) {
  const double begun = cpu_seconds();
  if (!Maker(trace).make(events)) return false;
  const double seconds = cpu_seconds() - begun;
  const trace::WriterStats stats = trace.stats();
  fmt::print("written: {} events, {:.0f} a second, {:.0f} bytes of line and {:.1f} bytes of file each\n", stats.lines,
             static_cast<double>(stats.lines) / seconds,
             static_cast<double>(stats.raw_bytes) / static_cast<double>(stats.lines),
             static_cast<double>(stats.bytes) / static_cast<double>(stats.lines));
  return true;
}

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv, "bench_replay FILE EVENTS", std::uint64_t{8}, make); }
