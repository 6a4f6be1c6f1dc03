// SPDX-License-Identifier: Apache-2.0
// A process of threads=N (4) threads, the last of which grows while the leader sleeps: the task that triggers is not
// the leader. Says "grower TID" before "ready PID". With leader_exits=1 the leader thread ends first and only the
// others live on: the kernel then names the process by one of their thread ids.
#include <pthread.h>

#include "workload.h"

static struct workload w;
static long count;
static pthread_barrier_t all_there;

static void step(size_t bytes) { wl_touch(wl_map_private(bytes), bytes); }

static void* run(void* argument) {
  long index = (long)argument;
  char name[16];
  snprintf(name, sizeof name, "%.11s/%ld", w.name ? w.name : "threads", index);
  prctl(PR_SET_NAME, name);
  if (index == count - 1) wl_say("grower %ld\n", (long)syscall(SYS_gettid));
  pthread_barrier_wait(&all_there);
  if (index < count - 1)
    for (;;) pause();
  wl_ready(&w);
  wl_grow(&w, step);
  wl_hold(&w);
  return NULL;
}

int main(int argc, char** argv) {
  wl_start(&w, argc, argv);
  count = wl_number(&w, "threads", 4);
  if (count < 2 || count > 256) count = 4;
  wl_start_memory(&w);
  pthread_barrier_init(&all_there, NULL, (unsigned)count);
  pthread_t thread;
  for (long i = 1; i < count; i++)
    if ((errno = pthread_create(&thread, NULL, run, (void*)i))) wl_fail("pthread_create");
  pthread_barrier_wait(&all_there);
  if (wl_number(&w, "leader_exits", 0)) pthread_exit(NULL);
  for (;;) pause();
}
