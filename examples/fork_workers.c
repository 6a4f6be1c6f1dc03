// SPDX-License-Identifier: Apache-2.0
// A small training-like job that runs out of memory: a trainer forks three data workers, one of which grows.
//
// scripts/quickstart runs it in a memory cgroup of 320 MiB. By hand it does no harm either: it ends by itself, see the
// limits below.
//
//   trainer                 fills 96 MiB (its "model"), then forks; all three workers inherit those pages, shared
//     +- pt_data_worker 0   16 MiB of its own, then idle
//     +- pt_data_worker 1   the same, then grows without end: a queue that nobody empties
//     +- pt_data_worker 2   as worker 0
//
// The inherited 96 MiB stand in the resident size of every worker, but they were paid for once, by the trainer. Who
// ranks growth by resident size blames all four; what ate the limit is what worker 1 allocated after the fork.
//
// The workers carry the name that PyTorch gives to DataLoader workers. When one dies, the trainer does what PyTorch's
// does: it says which one and fails.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
  kWorkers = 3,
  kGrower = 1,
  kModelMib = 96,
  kBatchMib = 16,
  kStepMib = 4,
  kStepPauseUs = 120 * 1000,  // 33 MiB/s: slow enough to be watched, and to be told from a burst
  kCapMib = 512,              // the grower stops here where no limit stops it
  kTimeoutSeconds = 300,      // every process ends after this, whatever happens
};

static void fail(const char* what) {
  fprintf(stderr, "fork_workers: %s: %s\n", what, strerror(errno));
  exit(2);
}

// Memory that is really used: every page is written.
static void use_mib(size_t mib) {
  const size_t bytes = mib << 20;
  char* memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("mmap");
  memset(memory, 1, bytes);
}

static void work(int index, pid_t trainer) {
  // Neither an alarm nor this setting survives a fork, so each worker makes its own.
  alarm(kTimeoutSeconds);
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail("PR_SET_PDEATHSIG");
  if (getppid() != trainer) _exit(0);
  prctl(PR_SET_NAME, "pt_data_worker");

  use_mib(kBatchMib);
  if (index == kGrower) {
    for (size_t grown = 0; grown < kCapMib; grown += kStepMib) {
      use_mib(kStepMib);
      usleep(kStepPauseUs);
    }
    fprintf(stderr, "worker %d: stopped at its own cap of %d MiB; no limit was hit\n", index, kCapMib);
    _exit(0);
  }
  for (;;) pause();
}

int main(void) {
  alarm(kTimeoutSeconds);
  const pid_t trainer = getpid();
  use_mib(kModelMib);

  pid_t workers[kWorkers];
  for (int i = 0; i < kWorkers; i++) {
    workers[i] = fork();
    if (workers[i] < 0) fail("fork");
    if (workers[i] == 0) work(i, trainer);
  }
  printf("trainer %d, workers %d %d %d; worker %d is going to grow\n", trainer, workers[0], workers[1], workers[2],
         workers[kGrower]);
  fflush(stdout);

  int status = 0;
  pid_t ended;
  do {
    ended = wait(&status);
  } while (ended < 0 && errno == EINTR);
  if (ended < 0) fail("wait");
  for (int i = 0; i < kWorkers; i++)
    if (workers[i] != ended) kill(workers[i], SIGTERM);
  while (wait(NULL) > 0) {
  }
  if (!WIFSIGNALED(status)) return 0;
  fprintf(stderr, "RuntimeError: data worker (pid %d) is killed by signal: %s.\n", ended, strsignal(WTERMSIG(status)));
  return 1;
}
