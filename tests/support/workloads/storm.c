// SPDX-License-Identifier: Apache-2.0
// What an unprivileged user can do to a recorder: births, deaths and SIGKILLs as fast as the machine gives them.
//   uid=N       become this user first                seconds=N  how long, default 5
// "stormed N" at the end: children made and killed.
#include "workload.h"

int main(int argc, char** argv) {
  struct workload w;
  wl_start(&w, argc, argv);
  const long uid = wl_number(&w, "uid", 0), seconds = wl_number(&w, "seconds", 5);
  if (uid > 0 && (setgid((gid_t)uid) || setuid((uid_t)uid))) wl_fail("setuid");
  wl_bind_to_parent(getppid());  // setuid(2) clears it
  wl_ready(&w);
  const pid_t self = getpid();
  struct timespec now, end;
  clock_gettime(CLOCK_MONOTONIC, &end);
  end.tv_sec += seconds;
  long made = 0;
  do {
    pid_t child = fork();
    if (child == 0) {
      wl_bind_to_parent(self);  // a storm that is killed leaves none waiting
      for (;;) pause();
    }
    if (child < 0) continue;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    made++;
    clock_gettime(CLOCK_MONOTONIC, &now);
  } while (now.tv_sec < end.tv_sec);
  wl_say("stormed %ld\n", made);
  return 0;
}
