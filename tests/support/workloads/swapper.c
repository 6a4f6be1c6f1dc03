// SPDX-License-Identifier: Apache-2.0
// Touches swap_mib, pushes them out to swap (MADV_PAGEOUT), says "swapped", and then grows as `grow` does.
#include "workload.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

static void step(size_t bytes) { wl_touch(wl_map_private(bytes), bytes); }

int main(int argc, char** argv) {
  struct workload w;
  wl_start(&w, argc, argv);
  size_t bytes = (size_t)wl_number(&w, "swap_mib", 16) << 20;
  if (bytes > (size_t)w.cap << 20) bytes = (size_t)w.cap << 20;
  char* memory = wl_map_private(bytes);
  wl_touch(memory, bytes);
  if (madvise(memory, bytes, MADV_PAGEOUT)) wl_fail("MADV_PAGEOUT");
  wl_say("swapped %zu\n", bytes >> 10);
  wl_start_memory(&w);
  wl_ready(&w);
  if (wl_number(&w, "grow", 0)) wl_grow(&w, step);
  wl_hold(&w);
}
