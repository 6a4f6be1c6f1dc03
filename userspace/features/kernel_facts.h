// SPDX-License-Identifier: Apache-2.0
// What this kernel and this process's privileges allow, as plain data: filled by capture/kernel_probe, read by the
// plan.
#pragma once

#include <map>
#include <set>
#include <string>

namespace oomtrace::features {

// Whether a throwaway program could be attached to a kernel function; `refusal` says why not.
struct Attachable {
  bool fentry = false;
  std::string fentry_refusal;
  bool kprobe = false;
  std::string kprobe_refusal;
};

// Existence is decided by BTF, never by version numbers; usability by trying (capture/kernel_probe.h).
struct KernelFacts {
  std::string release;                          // uname -r, for messages only
  bool btf = false;                             // /sys/kernel/btf/vmlinux is there and readable
  bool bpf_permitted = false;                   // a trivial program loads
  std::string bpf_refusal;                      // errno text where not
  std::set<std::string> tracepoints;            // of those asked for: BTF has btf_trace_NAME
  std::map<std::string, Attachable> functions;  // of those asked for
  bool mark_victim_takes_task = false;          // (struct task_struct *, uid_t); older: (int pid)
  bool exit_tells_last = false;                 // sched_process_exit(p, bool group_dead); older: (p)
  bool task_iterator_kfuncs = false;            // bpf_iter_task_new and its companions, bpf_rcu_read_lock
  bool task_iterator_program = false;           // SEC("iter/task"): BTF has bpf_iter__task
  bool kernel_symbols = false;                  // /proc/kallsyms shows addresses
  bool per_cpu_offsets = false;                 // it shows __per_cpu_offset too (CONFIG_KALLSYMS_ALL)
  bool kernel_log = false;                      // /dev/kmsg can be read
};

}  // namespace oomtrace::features
