// SPDX-License-Identifier: Apache-2.0
// processes=N (default 1000) children, one after another, each of which ends with all of its 64 threads at once.
// "left N" at the end.
#include <pthread.h>

#include "workload.h"

enum { kThreads = 64 };

static void* stay(void* unused) {
  for (;;) pause();
  return unused;
}

int main(int argc, char** argv) {
  struct workload w;
  wl_start(&w, argc, argv);
  const long processes = wl_number(&w, "processes", 1000);
  wl_ready(&w);
  const pid_t self = getpid();
  for (long i = 0; i < processes; i++) {
    pid_t child = fork();
    if (child < 0) wl_fail("fork");
    if (child == 0) {
      wl_bind_to_parent(self);
      pthread_t thread;
      for (int made = 0; made < kThreads; made++) pthread_create(&thread, NULL, stay, NULL);
      _exit(0);
    }
    waitpid(child, NULL, 0);
  }
  wl_say("left %ld\n", processes);
  return 0;
}
