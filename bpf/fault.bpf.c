/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
 * Page faults: the hot path. Counted exactly in a per-CPU accumulator; see helpers/growth.bpf.h.
 */
#include "helpers/growth.bpf.h"

/* arch/x86/include/asm/trap_pf.h */
#define X86_PF_PROT 0x1
#define X86_PF_WRITE 0x2

/* The accumulator passes to the process that runs now. */
static __noinline void take_over(struct fault_accumulator* acc, __u32 tgid) {
  if (acc->pending) flush_accumulator(acc, false);
  acc->tgid = tgid;
  const struct process_state* state = bpf_map_lookup_elem(&processes, &tgid);
  acc->has_regions = state && state->has_regions;
}

static __always_inline void count_fault(unsigned long address, unsigned long error_code, int base) {
  const __u32 zero = 0;
  struct fault_accumulator* acc = bpf_map_lookup_elem(&accumulators, &zero);
  if (!acc) return;
  const __u32 tgid = current_tgid();
  if (acc->tgid != tgid) take_over(acc, tgid);
  if (!(error_code & X86_PF_PROT))
    acc->counts[base]++;
  else if (error_code & X86_PF_WRITE) {
    acc->counts[base + 1]++;
    if (acc->has_regions) note_region(acc, address);
  } else
    return; /* a protection fault on a read is no memory */
  if (++acc->pending >= flush_after_faults) flush_accumulator(acc, true);
}

SEC("tp_btf/page_fault_user")
int BPF_PROG(on_page_fault_user, unsigned long address, struct pt_regs* regs, unsigned long error_code) {
  count_fault(address, error_code, 0);
  return 0;
}

SEC("tp_btf/page_fault_kernel")
int BPF_PROG(on_page_fault_kernel, unsigned long address, struct pt_regs* regs, unsigned long error_code) {
  count_fault(address, error_code, 2);
  return 0;
}
