// SPDX-License-Identifier: Apache-2.0
// Grows by shared memory: mapped anonymous by default, or with map=0 written to a memfd that nobody maps.
#include "workload.h"

static int unmapped_fd = -1;

static void step_mapped(size_t bytes) { wl_touch(wl_map(bytes, MAP_SHARED), bytes); }

static void step_unmapped(size_t bytes) {
  static char page[4096] = {1};
  for (size_t done = 0; done < bytes; done += sizeof page)
    if (write(unmapped_fd, page, sizeof page) != sizeof page) wl_fail("write to memfd");
}

int main(int argc, char** argv) {
  struct workload w;
  wl_start(&w, argc, argv);
  bool mapped = wl_number(&w, "map", 1) != 0;
  if (!mapped && (unmapped_fd = memfd_create("workload", MFD_CLOEXEC)) < 0) wl_fail("memfd_create");
  wl_start_memory(&w);
  wl_ready(&w);
  wl_grow(&w, mapped ? step_mapped : step_unmapped);
  wl_hold(&w);
}
