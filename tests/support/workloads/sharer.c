// SPDX-License-Identifier: Apache-2.0
// Two processes with one address space, without being threads of each other. By default clone(CLONE_VM): both are
// weighed and die together. With vfork=1 the parent is suspended in vfork(2) and the child, not yet past exec, is not
// weighed. Says "sharer PID", then "ready PID"; grow=1 lets the owner grow (not with vfork).
#include "workload.h"

static struct workload w;
static char stack[64 << 10] __attribute__((aligned(16)));

static void step(size_t bytes) { wl_touch(wl_map_private(bytes), bytes); }

static int share(void* argument) {
  (void)argument;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NAME, "sharer");
  for (;;) pause();
  return 0;
}

int main(int argc, char** argv) {
  wl_start(&w, argc, argv);
  wl_start_memory(&w);
  bool in_vfork = wl_number(&w, "vfork", 0) != 0;
  pid_t owner = getpid();
  if (in_vfork) {
    pid_t child = vfork();
    if (child < 0) wl_fail("vfork");
    if (!child) {  // the address space is the parent's, which waits: only system calls from here on
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      prctl(PR_SET_NAME, "in_vfork");
      alarm((unsigned)w.timeout);
      wl_say("sharer %d\n", getpid());
      wl_say("ready %d\n", owner);
      for (;;) pause();
    }
    return 0;
  }
  pid_t child = clone(share, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL);
  if (child < 0) wl_fail("clone");
  wl_say("sharer %d\n", child);
  wl_ready(&w);
  if (wl_number(&w, "grow", 0)) wl_grow(&w, step);
  wl_hold(&w);
}
