/* SPDX-License-Identifier: Apache-2.0
 * sleepers COUNT: so many processes that do nothing, as cheap as processes are. Says "there" once all of them are; they
 * end with the first.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char** argv) {
  const long count = argc == 2 ? atol(argv[1]) : 0;
  const pid_t first = getpid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (long i = 0; i < count; i++) {
    const pid_t child = fork();
    if (child < 0) return perror("fork"), 1;
    if (child > 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != first) _exit(0);
    for (;;) pause();
  }
  puts("there");
  fflush(stdout);
  for (;;) pause();
}
