// SPDX-License-Identifier: Apache-2.0
// Grows without page faults of its own: MAP_POPULATE fills each step inside mmap.
#include "workload.h"

static void step(size_t bytes) { wl_map(bytes, MAP_PRIVATE | MAP_POPULATE); }

int main(int argc, char** argv) {
  struct workload w;
  wl_start(&w, argc, argv);
  wl_start_memory(&w);
  wl_ready(&w);
  wl_grow(&w, step);
  wl_hold(&w);
}
