// SPDX-License-Identifier: Apache-2.0
// Grows by transparent huge pages where the kernel grants them: one fault, 512 pages. Steps are multiples of 2 MiB.
#include "workload.h"

enum { kHuge = 2 << 20 };

static void step(size_t bytes) {
  bytes = (bytes + kHuge - 1) / kHuge * kHuge;
  char* memory = wl_map_private(bytes + kHuge);
  memory = (char*)(((unsigned long)memory + kHuge - 1) / kHuge * kHuge);
  if (madvise(memory, bytes, MADV_HUGEPAGE)) wl_fail("MADV_HUGEPAGE");
  wl_touch(memory, bytes);
}

int main(int argc, char** argv) {
  struct workload w;
  wl_start(&w, argc, argv);
  if (w.step_kib < 2048) w.step_kib = 2048;
  wl_start_memory(&w);
  wl_ready(&w);
  wl_grow(&w, step);
  wl_hold(&w);
}
