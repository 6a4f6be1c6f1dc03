/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
 * A program that does nothing, on the tracepoint of the page faults: what it costs to have any program there.
 */
#define SEC(name) __attribute__((section(name), used))

SEC("tp_btf/page_fault_user")
int bench_empty(void* context) {
  (void)context;
  return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
