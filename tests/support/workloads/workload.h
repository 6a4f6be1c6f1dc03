// SPDX-License-Identifier: Apache-2.0
// What all workloads share: arguments, self-limits, the start signal, touching memory.
//
// Arguments are KEY=VALUE. Keys every workload knows:
//   mib=N       how much to grow; 0 = up to cap       cap=N      never more than N MiB, default 1024
//   step_kib=N  allocate in steps, default 1024       delay_us=N pause after each step
//   name=TEXT   comm                                  adj=N      oom_score_adj
//   wait=1      grow only after SIGUSR1               hold=N     seconds to stay after growing, default: to the timeout
//   timeout=N   exit(124) after N seconds, default 60 node=N     bind memory to NUMA node N (MPOL_BIND)
//   start_mib=N touched before "ready"
// Output on stdout, a line per write(2): "ready PID" when set up, "grown KIB" when done, further lines as each file
// says.
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct workload {
  long mib, cap, step_kib, delay_us, timeout, hold, node, start_mib;
  bool wait;
  const char* name;
  int argc;
  char** argv;
};

static inline void wl_say(const char* format, ...) {
  char line[256];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (length > 0 && write(STDOUT_FILENO, line, (size_t)length) != length) _exit(3);
}

static inline void wl_fail(const char* what) {
  fprintf(stderr, "workload: %s: %s\n", what, strerror(errno));
  _exit(3);
}

static inline const char* wl_text(const struct workload* w, const char* key, const char* otherwise) {
  size_t length = strlen(key);
  for (int i = 1; i < w->argc; i++)
    if (!strncmp(w->argv[i], key, length) && w->argv[i][length] == '=') return w->argv[i] + length + 1;
  return otherwise;
}

static inline long wl_number(const struct workload* w, const char* key, long otherwise) {
  const char* text = wl_text(w, key, NULL);
  return text ? strtol(text, NULL, 10) : otherwise;
}

static inline void wl_on_alarm(int signal) {
  (void)signal;
  _exit(124);
}

// Ends this process with its parent, also after a fork: the parent's death must not leave a grower behind.
static inline void wl_bind_to_parent(pid_t parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL)) wl_fail("PR_SET_PDEATHSIG");
  if (getppid() != parent) _exit(0);
}

static inline void wl_set_adj(const char* value) {
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, value, strlen(value)) < 0) wl_fail("oom_score_adj");
  close(fd);
}

static inline void wl_arm_timeout(const struct workload* w) {
  signal(SIGALRM, wl_on_alarm);
  alarm((unsigned)w->timeout);
}

static inline void wl_start(struct workload* w, int argc, char** argv) {
  *w = (struct workload){.argc = argc, .argv = argv};
  w->mib = wl_number(w, "mib", 0);
  w->cap = wl_number(w, "cap", 1024);
  w->step_kib = wl_number(w, "step_kib", 1024);
  w->delay_us = wl_number(w, "delay_us", 0);
  w->timeout = wl_number(w, "timeout", 60);
  w->hold = wl_number(w, "hold", -1);
  w->node = wl_number(w, "node", -1);
  w->start_mib = wl_number(w, "start_mib", 0);
  w->wait = wl_number(w, "wait", 0) != 0;
  w->name = wl_text(w, "name", NULL);
  if (w->mib <= 0 || w->mib > w->cap) w->mib = w->cap;
  if (w->step_kib < 4) w->step_kib = 4;
  if (w->timeout < 1 || w->timeout > 600) w->timeout = 60;
  wl_arm_timeout(w);
  wl_bind_to_parent(getppid());
  sigset_t go;
  sigemptyset(&go);
  sigaddset(&go, SIGUSR1);
  sigprocmask(SIG_BLOCK, &go, NULL);
  if (w->name) prctl(PR_SET_NAME, w->name);
  const char* adj = wl_text(w, "adj", NULL);
  if (adj) wl_set_adj(adj);
  if (w->node >= 0) {
    unsigned long mask = 1ul << w->node;
    if (syscall(SYS_set_mempolicy, 2 /* MPOL_BIND */, &mask, 8 * sizeof mask)) wl_fail("set_mempolicy");
  }
}

static inline void wl_await_go(void) {
  sigset_t go;
  sigemptyset(&go);
  sigaddset(&go, SIGUSR1);
  while (sigwaitinfo(&go, NULL) < 0 && errno == EINTR) {
  }
}

static inline void wl_ready(const struct workload* w) {
  wl_say("ready %d\n", getpid());
  if (w->wait) wl_await_go();
}

static inline void wl_touch(char* memory, size_t bytes) {
  for (size_t at = 0; at < bytes; at += 4096) ((volatile char*)memory)[at] = 1;
}

static inline char* wl_map(size_t bytes, int flags) {
  char* memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) wl_fail("mmap");
  return memory;
}

static inline char* wl_map_private(size_t bytes) { return wl_map(bytes, MAP_PRIVATE); }

static inline void wl_start_memory(const struct workload* w) {
  if (w->start_mib > 0) wl_touch(wl_map_private((size_t)w->start_mib << 20), (size_t)w->start_mib << 20);
}

// Calls step(bytes) until w->mib are reached; what it allocates stays.
static inline void wl_grow(const struct workload* w, void (*step)(size_t bytes)) {
  size_t all = (size_t)w->mib << 20, one = (size_t)w->step_kib << 10, grown = 0;
  while (grown < all) {
    size_t bytes = all - grown < one ? all - grown : one;
    step(bytes);
    grown += bytes;
    if (w->delay_us > 0) usleep((useconds_t)w->delay_us);
  }
  wl_say("grown %zu\n", grown >> 10);
}

static inline void wl_hold(const struct workload* w) {
  if (w->hold >= 0) {
    sleep((unsigned)w->hold);
    _exit(0);
  }
  for (;;) pause();
}
