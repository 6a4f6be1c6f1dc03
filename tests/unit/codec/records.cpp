// SPDX-License-Identifier: Apache-2.0
// Well-formed records of all kinds.
#include "unit/codec/records.h"

namespace oomtrace::codec {

namespace {

constexpr std::uint64_t kAllValid = ~0ULL;

template <class Record>
void add(std::vector<std::vector<std::byte>>& all, const Record& record) {
  const auto bytes = bytes_of(record);
  all.emplace_back(bytes.begin(), bytes.end());
}

}  // namespace

oomtrace_oom_kill sample_kill() {
  auto r = record_of<oomtrace_oom_kill>(OOMTRACE_KIND_OOM_KILL, kAllValid);
  r.decision = 3;
  r.victim = task(100, "python3");
  r.trigger = task(200, "pt_data_worker");
  r.trigger.tid = 201;
  r.mm = mm();
  r.victim_memcg = 11;
  r.trigger_memcg = 12;
  r.domain_memcg = 10;
  r.limit_pages = 1000;
  r.usage_pages = 999;
  r.swap_limit_pages = 50;
  r.total_pages = 1050;
  r.points = 700;
  r.chosen_points = 701;
  r.domain = OOMTRACE_DOMAIN_MEMCG;
  r.decided_by = OOMTRACE_DECIDED_KERNEL;
  r.constraint = 3;
  r.gfp_mask = 0xcc0;
  r.order = 2;
  r.victim_adj = -5;
  r.trigger_adj = 6;
  r.victim_uid = 1000;
  r.victim_ppid = 99;
  r.way = OOMTRACE_WAY_OOM_KILL_PROCESS;
  r.stack_len = 3;
  r.stack[0] = 0x1000;
  r.stack[1] = 0x2000;
  r.stack[2] = 0x3000;
  r.nodes[0] = 0b1011;
  r.nodes[1] = 1;
  put(r.message, "Memory cgroup out of memory");
  return r;
}

oomtrace_exec sample_exec(std::string_view args) {
  auto r = record_of<oomtrace_exec>(OOMTRACE_KIND_EXEC, kAllValid);
  r.task = task(100, "python3");
  r.memcg = 11;
  r.ppid = 99;
  r.uid = 1000;
  r.args_len = static_cast<__u32>(args.size());
  r.args_full_len = r.args_len;
  put(r.filename, "/usr/bin/python3");
  put(r.args, args);
  return r;
}

oomtrace_cgroup sample_cgroup(std::uint64_t id, const std::vector<std::string_view>& names) {
  auto r = record_of<oomtrace_cgroup>(OOMTRACE_KIND_CGROUP);
  r.id = id;
  r.levels = static_cast<__u32>(names.size());
  for (std::size_t i = 0; i < names.size() && i < OOMTRACE_CGROUP_LEVELS; ++i) {
    r.level[i].id = id - i;
    put(r.name[i], names[names.size() - 1 - i]);
  }
  return r;
}

std::vector<std::vector<std::byte>> sample_records() {
  std::vector<std::vector<std::byte>> all;
  add(all, sample_kill());

  auto candidate = record_of<oomtrace_oom_candidate>(OOMTRACE_KIND_OOM_CANDIDATE, kAllValid);
  candidate.decision = 3;
  candidate.task = task(100, "python3");
  candidate.task.tid = 104;
  candidate.mm = mm();
  candidate.memcg = 11;
  candidate.points = -12;
  candidate.uid = 1000;
  candidate.ppid = 99;
  candidate.adj = -998;
  candidate.excluded = OOMTRACE_EXCLUDED_IN_VFORK;
  candidate.flags = OOMTRACE_CANDIDATE_SHARES_VICTIM_MM;
  candidate.way = OOMTRACE_WAY_EVALUATE_TASK;
  add(all, candidate);

  auto end = record_of<oomtrace_oom_end>(OOMTRACE_KIND_OOM_END, kAllValid);
  end.decision = 3;
  end.scanned = 40;
  end.emitted = 30;
  end.dropped = 10;
  end.way = OOMTRACE_WAY_TASK_WALK;
  add(all, end);

  auto fork = record_of<oomtrace_fork>(OOMTRACE_KIND_FORK, kAllValid);
  fork.parent = task(99, "torchrun");
  fork.child = task(100, "python3");
  fork.mm = mm();
  fork.clone_flags = 0x1200000;
  fork.memcg = 11;
  fork.uid = 1000;
  add(all, fork);

  add(all, sample_exec(std::string_view("python3\0train.py\0", 17)));

  auto exit = record_of<oomtrace_exit>(OOMTRACE_KIND_EXIT, kAllValid);
  exit.task = task(100, "python3");
  exit.mm = mm();
  exit.fresh_faults = 1;
  exit.wp_faults = 2;
  exit.kernel_fresh_faults = 3;
  exit.kernel_wp_faults = 4;
  exit.exit_code = 9;
  exit.flags = OOMTRACE_EXIT_OOM_VICTIM;
  exit.ppid = 99;
  exit.address_space_limit = 1U << 30;
  add(all, exit);

  auto memory = record_of<oomtrace_memory>(OOMTRACE_KIND_MEMORY, kAllValid);
  memory.task = task(100, "python3");
  memory.mm = mm();
  memory.memcg = 11;
  memory.fresh_faults = 1;
  memory.wp_faults = 2;
  memory.kernel_fresh_faults = 3;
  memory.kernel_wp_faults = 4;
  memory.reason = OOMTRACE_MEMORY_SNAPSHOT;
  memory.ppid = 99;
  memory.uid = 1000;
  memory.adj = 200;
  add(all, memory);

  auto signal = record_of<oomtrace_signal>(OOMTRACE_KIND_SIGNAL, kAllValid);
  signal.sender = task(50, "bash");
  signal.target = task(100, "python3");
  signal.sig = 9;
  signal.si_code = -6;
  signal.flags = OOMTRACE_SIGNAL_PRIV | OOMTRACE_SIGNAL_IN_OOM;
  signal.decision = 3;
  add(all, signal);

  add(all, sample_cgroup(11, {"kubepods", "pod1"}));

  auto adj = record_of<oomtrace_score_adj>(OOMTRACE_KIND_SCORE_ADJ, kAllValid);
  adj.task = task(100, "python3");
  adj.by = task(1, "systemd");
  adj.adj = -1000;
  add(all, adj);

  auto reaped = record_of<oomtrace_reaped>(OOMTRACE_KIND_REAPED, kAllValid);
  reaped.tid = 100;
  add(all, reaped);
  return all;
}

}  // namespace oomtrace::codec
