/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
 * Fatal signals: who sent SIGKILL to whom, and whether it was the OOM killer.
 */
#include "helpers/emit.bpf.h"
#include "helpers/read_task.bpf.h"

#define STACK_LOOKED_AT 12 /* __oom_kill_process() is a few frames up from the tracepoint */

static __always_inline bool sent_by_oom_killer(void* ctx) {
  __u64 stack[STACK_LOOKED_AT] = {};
  if (functions[OOMTRACE_FN_KILL].start == functions[OOMTRACE_FN_KILL].end) return false;
  if (bpf_get_stack(ctx, stack, sizeof(stack), 0) <= 0) return false;
  for (int i = 0; i < STACK_LOOKED_AT; i++)
    if (stack[i] >= functions[OOMTRACE_FN_KILL].start && stack[i] < functions[OOMTRACE_FN_KILL].end) return true;
  return false;
}

static __always_inline void fill_signal(struct oomtrace_signal* record, const struct task_struct* sender,
                                        const struct task_struct* target, __u32 flags, int result) {
  read_task(&record->sender, sender);
  read_task(&record->target, target);
  record->sig = SIGKILL;
  record->flags = flags;
  record->result = result;
}

SEC("tp_btf/signal_generate")
int BPF_PROG(on_signal_generate, int sig, struct kernel_siginfo* info, struct task_struct* target, int group,
             int result) {
  if (sig != SIGKILL) return 0;
  const struct task_struct* sender = (const void*)bpf_get_current_task();
  __u32 flags = group ? OOMTRACE_SIGNAL_GROUP : 0;
  if ((void*)info == SEND_SIG_PRIV) {
    flags |= OOMTRACE_SIGNAL_PRIV;
    if (sent_by_oom_killer(ctx)) {
      flags |= OOMTRACE_SIGNAL_IN_OOM;
      oom.signalled_tgid = target->tgid;
      oom.signalled_by = BPF_CORE_READ(sender, pid);
      oom.signalled_task = (__u64)target;
    }
  }
  if (flags & OOMTRACE_SIGNAL_IN_OOM) {
    struct oomtrace_signal* record = emit_kill(OOMTRACE_KIND_SIGNAL, struct oomtrace_signal);
    if (!record) return 0;
    fill_signal(record, sender, target, flags, result);
    submit_quietly(record);
    return 0;
  }
  struct oomtrace_signal* record = emit_lifecycle(OOMTRACE_KIND_SIGNAL, struct oomtrace_signal);
  if (!record) return 0;
  fill_signal(record, sender, target, flags, result);
  if ((__u64)info > 1) { /* not one of the SEND_SIG_ constants */
    record->si_code = BPF_CORE_READ(info, si_code);
    record->h.valid |= OOMTRACE_HAS_SI_CODE;
  }
  submit_quietly(record);
  return 0;
}
