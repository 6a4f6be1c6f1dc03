// SPDX-License-Identifier: Apache-2.0
// Copy-on-write duplication: the parent fills start_mib and forks children=N (2), each of which writes to every page of
// it. Says "child I PID", then "ready PID"; with wait=1 each child starts to write at SIGUSR1. step_kib and delay_us
// pace the writing. The parent waits for its children and exits 1 if one was killed, else 0.
#include "workload.h"

enum { kMaxChildren = 64 };

int main(int argc, char** argv) {
  struct workload w;
  wl_start(&w, argc, argv);
  long count = wl_number(&w, "children", 2);
  if (count < 1 || count > kMaxChildren) count = 2;
  size_t bytes = (size_t)(w.start_mib > 0 ? w.start_mib : 64) << 20, one = (size_t)w.step_kib << 10;
  if (bytes * (size_t)(count + 1) > (size_t)w.cap << 20) bytes = ((size_t)w.cap << 20) / (size_t)(count + 1);
  char* data = wl_map_private(bytes);
  if (madvise(data, bytes, MADV_NOHUGEPAGE)) wl_fail("MADV_NOHUGEPAGE");
  wl_touch(data, bytes);
  int ready[2];
  pid_t parent = getpid();
  if (pipe(ready)) wl_fail("pipe");
  for (long i = 0; i < count; i++) {
    pid_t child = fork();
    if (child < 0) wl_fail("fork");
    if (child) continue;
    wl_arm_timeout(&w);
    wl_bind_to_parent(parent);
    char name[16];
    snprintf(name, sizeof name, "%.12s.%ld", w.name ? w.name : "cow", i);
    prctl(PR_SET_NAME, name);
    wl_say("child %ld %d\n", i, getpid());
    if (write(ready[1], "r", 1) != 1) _exit(3);
    if (w.wait) wl_await_go();
    for (size_t at = 0; at < bytes; at += one) {
      wl_touch(data + at, bytes - at < one ? bytes - at : one);
      if (w.delay_us > 0) usleep((useconds_t)w.delay_us);
    }
    wl_say("grown %zu\n", bytes >> 10);
    wl_hold(&w);
  }
  char byte;
  for (long i = 0; i < count; i++)
    if (read(ready[0], &byte, 1) != 1) wl_fail("a child died early");
  wl_say("ready %d\n", parent);
  int status, killed = 0;
  while (wait(&status) > 0) killed |= WIFSIGNALED(status);
  return killed;
}
