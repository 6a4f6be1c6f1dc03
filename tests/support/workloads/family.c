// SPDX-License-Identifier: Apache-2.0
// A parent with forked children, one of which grows; the others sleep.
//   children=N (3)  grower=I (1)   child_mib=N touched by each child, start_mib=N by the parent before it forks
// Says "child I PID" for each, then "ready PID". The grower waits for SIGUSR1 with wait=1. When a child ends: "ended I
// STATUS" (wait(2)'s). The parent stays for hold seconds after the first end, then ends the others and exits 1.
#include "workload.h"

enum { kMaxChildren = 64 };

static void step(size_t bytes) { wl_touch(wl_map_private(bytes), bytes); }

static void run_child(struct workload* w, long index, pid_t parent, int ready) {
  wl_arm_timeout(w);
  wl_bind_to_parent(parent);
  char name[16];
  snprintf(name, sizeof name, "%.12s.%ld", w->name ? w->name : "family", index);
  prctl(PR_SET_NAME, name);
  size_t own = (size_t)wl_number(w, "child_mib", 8) << 20;
  if (own) wl_touch(wl_map_private(own), own);
  wl_say("child %ld %d\n", index, getpid());
  if (write(ready, "r", 1) != 1) _exit(3);
  close(ready);
  if (index == wl_number(w, "grower", 1)) {
    if (w->wait) wl_await_go();
    wl_grow(w, step);
  }
  for (;;) pause();
}

int main(int argc, char** argv) {
  struct workload w;
  wl_start(&w, argc, argv);
  long count = wl_number(&w, "children", 3);
  if (count < 1 || count > kMaxChildren) count = 3;
  wl_start_memory(&w);
  int ready[2];
  pid_t parent = getpid(), child[kMaxChildren];
  if (pipe(ready)) wl_fail("pipe");
  for (long i = 0; i < count; i++) {
    child[i] = fork();
    if (child[i] < 0) wl_fail("fork");
    if (!child[i]) run_child(&w, i, parent, ready[1]);
  }
  close(ready[1]);
  char byte;
  for (long i = 0; i < count; i++)
    if (read(ready[0], &byte, 1) != 1) wl_fail("a child died early");
  wl_say("ready %d\n", parent);
  int status;
  pid_t ended = wait(&status);
  for (long i = 0; i < count; i++)
    if (child[i] == ended) {
      wl_say("ended %ld %d\n", i, status);
      child[i] = 0;
    }
  if (w.hold > 0) sleep((unsigned)w.hold);
  for (long i = 0; i < count; i++)
    if (child[i]) kill(child[i], SIGTERM);
  while (wait(NULL) > 0) {
  }
  return 1;
}
