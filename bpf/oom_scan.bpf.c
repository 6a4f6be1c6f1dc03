/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
 * Candidates as the kernel evaluates them: oom_evaluate_task() is a function pointer's target for memcgs and so always
 * a real call; oom_badness() may be inlined into it (5.10) and attaches without ever firing.
 */
#include "helpers/scan.bpf.h"

#include <asm/ptrace.h>

SEC("fentry/out_of_memory")
int BPF_PROG(on_out_of_memory, struct oom_control* oc) {
  start_scan();
  return 0;
}

SEC("fentry/oom_evaluate_task")
int BPF_PROG(on_oom_evaluate_task, struct task_struct* task, struct oom_control* oc) {
  note_evaluation(task, oc);
  return 0;
}

SEC("kprobe/out_of_memory")
int BPF_KPROBE(on_out_of_memory_kprobe, struct oom_control* oc) {
  start_scan();
  return 0;
}

SEC("kprobe/oom_evaluate_task")
int BPF_KPROBE(on_oom_evaluate_task_kprobe, struct task_struct* task, struct oom_control* oc) {
  note_evaluation(task, oc);
  return 0;
}
