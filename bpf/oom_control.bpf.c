/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
 * The kernel's own decision: struct oom_control at the entry of oom_kill_process(), where fentry or kprobes are
 * allowed. on_mark_victim, which follows, puts it into the kill's record.
 */
#include "helpers/emit.bpf.h"
#include "helpers/nodes.bpf.h"
#include "helpers/read_memcg.bpf.h"
#include "helpers/scan.bpf.h"

#include <asm/ptrace.h>

static __always_inline void read_nodes(const struct oom_control* oc, __u32 constraint) {
  oom.control_has_nodes = 0;
  const void* mask = NULL;
  if (constraint == CONSTRAINT_MEMORY_POLICY) {
    mask = BPF_CORE_READ(oc, nodemask);
  } else if (constraint == CONSTRAINT_CPUSET) {
    const struct task_struct* task = (const void*)bpf_get_current_task();
    mask = &task->mems_allowed;
  }
  if (!mask) return;
  for (int i = 0; i < OOMTRACE_NODE_WORDS; i++) oom.control_nodes[i] = nodes_word(mask, i);
  oom.control_has_nodes = 1;
}

static __always_inline void read_control(const struct oom_control* oc, const char* message) {
  finish_scan(oc);
  const struct mem_cgroup* memcg = BPF_CORE_READ(oc, memcg);
  oom.control_memcg_css = memcg ? (__u64)&memcg->css : 0;
  oom.control_total = BPF_CORE_READ(oc, totalpages);
  oom.control_chosen_points = BPF_CORE_READ(oc, chosen_points);
  oom.control_gfp = BPF_CORE_READ(oc, gfp_mask);
  oom.control_order = BPF_CORE_READ(oc, order);
  oom.control_constraint = BPF_CORE_READ(oc, constraint);
  read_nodes(oc, oom.control_constraint);
  bpf_probe_read_kernel_str(oom.control_message, sizeof(oom.control_message), message);
  oom.has_decision = 1;
}

SEC("fentry/oom_kill_process")
int BPF_PROG(on_oom_kill_process, struct oom_control* oc, const char* message) {
  read_control(oc, message);
  return 0;
}

SEC("kprobe/oom_kill_process")
int BPF_KPROBE(on_oom_kill_process_kprobe, struct oom_control* oc, const char* message) {
  read_control(oc, message);
  return 0;
}
