// SPDX-License-Identifier: Apache-2.0
// Grows by fresh private pages.
#include "workload.h"

static void step(size_t bytes) { wl_touch(wl_map_private(bytes), bytes); }

int main(int argc, char** argv) {
  struct workload w;
  wl_start(&w, argc, argv);
  wl_start_memory(&w);
  wl_ready(&w);
  wl_grow(&w, step);
  wl_hold(&w);
}
