// SPDX-License-Identifier: Apache-2.0
// Grows as `grow` does and then touches all of it in circles: what does not fit is swapped in and out until the
// timeout.
#include "workload.h"

static char* memory;
static size_t used;

static void step(size_t bytes) {
  wl_touch(memory + used, bytes);
  used += bytes;
}

int main(int argc, char** argv) {
  struct workload w;
  wl_start(&w, argc, argv);
  memory = wl_map_private((size_t)w.mib << 20);
  wl_ready(&w);
  wl_grow(&w, step);
  for (;;) wl_touch(memory, used);
}
