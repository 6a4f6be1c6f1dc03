// SPDX-License-Identifier: Apache-2.0
// Grows by locked pages: mlock faults them in and keeps them from reclaim.
#include "workload.h"

static void step(size_t bytes) {
  if (mlock(wl_map_private(bytes), bytes)) wl_fail("mlock");
}

int main(int argc, char** argv) {
  struct workload w;
  wl_start(&w, argc, argv);
  wl_start_memory(&w);
  wl_ready(&w);
  wl_grow(&w, step);
  wl_hold(&w);
}
