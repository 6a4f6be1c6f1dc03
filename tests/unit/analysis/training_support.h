// SPDX-License-Identifier: Apache-2.0
// What tests of causes share: a trainer with its workers in a memory cgroup, and short words for how they grow.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis_support.h"

namespace oomtrace::analysis {

struct TrainingTest : AnalysisTest {
  static constexpr std::int64_t kLimitMib = 1000;
  CgroupRef job{77, "/job"};
  const ProcessRef trainer = ref(10, "python3", 1);

  double clock = 1;

  void begin(double mem_total_mib = 8192) { events.at(1).start({}, mem_total_mib); }

  // A trainer by the library it maps, holding so many MiB.
  void begin_trainer(double anon_mib) {
    begin();
    start_trainer(trainer, anon_mib);
  }
  void start_trainer(const ProcessRef& process, double anon_mib, std::string_view command = "python3 train.py") {
    events.exec(process, "/usr/bin/python3", command, 1);
    inform(process, command);
    level(process, anon_mib);
  }
  // The trainer and another rank of its job, children of what starts the job's ranks.
  void start_ranks(const ProcessRef& starter, std::string_view executable, std::string_view command,
                   const ProcessRef& other) {
    begin();
    events.exec(starter, executable, command, 1);
    for (const ProcessRef& one : {trainer, other}) {
      events.at(2).fork(starter, one);
      start_trainer(one, 300);
    }
  }
  void inform(const ProcessRef& process, std::string_view command, std::vector<std::string_view> libraries = {}) {
    ProcessInfo info;
    info.process = process;
    info.executable = "/usr/bin/python3";
    info.command_line = command;
    info.libraries = std::move(libraries);
    info.libraries.emplace_back("libtorch_cpu.so");
    events.emit(info);
  }
  // Another program in the same cgroup.
  void start_other(const ProcessRef& process, double anon_mib, std::string_view command = "sidecar --port 80") {
    events.exec(process, "/usr/bin/sidecar", command, 1);
    level(process, anon_mib);
  }
  void fork_worker(std::uint32_t pid, double inherited_mib) { events.fork(trainer, worker(pid), mib(inherited_mib)); }
  void spawn_worker(std::uint32_t pid) {
    events.fork(trainer, worker(pid));  // vfork: what it has is the trainer's until it runs something
    events.exec(worker(pid), "/usr/bin/python3",
                "python3 -c from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd=5, pipe_handle=7) "
                "--multiprocessing-fork",
                trainer.pid);
  }
  static ProcessRef worker(std::uint32_t pid) { return ref(pid, "python3", pid); }

  // What a process holds now.
  void level(const ProcessRef& process, double anon_mib, double shmem_mib = 0, double copied_mib = 0,
             double fresh_faults_mib = 0) {
    ProcessMemory memory;
    memory.process = process;
    memory.memory = mib(anon_mib, 0, shmem_mib);
    memory.memory->hiwater_rss = static_cast<std::uint64_t>(mib(anon_mib + shmem_mib).anon);
    memory.faults.write_protect = static_cast<std::uint64_t>(copied_mib * 256);
    memory.faults.fresh = static_cast<std::uint64_t>(fresh_faults_mib * 256);
    memory.cgroup = job;
    events.emit(memory);
  }
  // Calls `step` ten times a second of a stretch with how much of it is over, from just above 0 to 1.
  void during(double from_s, double to_s, const std::function<void(double part)>& step) {
    const int steps = std::max(1, static_cast<int>((to_s - from_s) * 10));
    for (int i = 1; i <= steps; ++i) {
      events.at(from_s + (to_s - from_s) * i / steps);
      step(static_cast<double>(i) / steps);
    }
    clock = to_s;
  }
  void rise(const ProcessRef& process, double from_mib, double to_mib, double from_s, double to_s) {
    during(from_s, to_s, [&](double part) { level(process, from_mib + (to_mib - from_mib) * part); });
  }
  // The domain's own counters, as a sample has them.
  void ledger(double anon_mib, double shmem_mib, double cache_mib = 0, double kernel_mib = 0,
              Opt<std::uint64_t> incident_id = {}) {
    CgroupMemory memory;
    memory.cgroup = job;
    memory.usage = bytes(anon_mib + shmem_mib + cache_mib + kernel_mib);
    memory.limit = bytes(kLimitMib);
    memory.anon = bytes(anon_mib);
    memory.shmem = bytes(shmem_mib);
    memory.file = bytes(shmem_mib + cache_mib);
    memory.kernel = bytes(kernel_mib);
    memory.incident_id = incident_id;
    events.emit(memory);
  }
  // A kill a tenth of a second later, at the limit.
  void kill(const ProcessRef& victim, double anon_mib, double shmem_mib = 0) {
    events.at(clock + 0.05);
    events.emit(test::memcg_kill(1, victim, mib(anon_mib, 0, shmem_mib), job, kLimitMib * kMiB));
  }

  static bool has(const Incident& incident, std::string_view kind) {
    if (incident.cause.kind == kind) return true;
    return std::any_of(incident.contributing.begin(), incident.contributing.end(),
                       [&](const Cause& cause) { return cause.kind == kind; });
  }
  static double figure(const Cause& cause, std::string_view what) {
    for (const Evidence& evidence : cause.evidence) {
      if (evidence.what == what) return evidence.value;
    }
    ADD_FAILURE() << "no evidence named " << what;
    return -1;
  }
};

}  // namespace oomtrace::analysis
