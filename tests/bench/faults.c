/* SPDX-License-Identifier: Apache-2.0
 * faults fresh|cow PAGES ROUNDS: page faults of one kind and almost nothing else. Prints how many, by getrusage(2), and
 * the nanoseconds they took. At most PAGES pages are held twice, at the cow fork.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long page;

static void touch(char* memory, long pages, char value) {
  for (long i = 0; i < pages; i++) *(volatile char*)(memory + i * page) = value;
}

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static long faults(int who) {
  struct rusage usage;
  getrusage(who, &usage);
  return usage.ru_minflt;
}

static char* map(long pages) {
  char* memory = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) exit(1);
  madvise(memory, pages * page, MADV_NOHUGEPAGE);
  return memory;
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const int cow = strcmp(argv[1], "cow") == 0;
  const long pages = atol(argv[2]), rounds = atol(argv[3]);
  long long spent = 0;
  long count = 0;
  page = sysconf(_SC_PAGESIZE);
  char* inherited = map(pages);
  if (cow) touch(inherited, pages, 1);
  for (long round = 0; round < rounds; round++) {
    if (cow) {
      int results[2];
      if (pipe(results) != 0) return 1;
      const pid_t child = fork();
      if (child == 0) {
        const long before = faults(RUSAGE_SELF);
        const long long start = now();
        touch(inherited, pages, 2);
        long long told[2] = {now() - start, faults(RUSAGE_SELF) - before};
        if (write(results[1], told, sizeof(told)) != (ssize_t)sizeof(told)) _exit(1);
        _exit(0);
      }
      long long told[2] = {0, 0};
      if (child < 0 || read(results[0], told, sizeof(told)) != (ssize_t)sizeof(told)) return 1;
      waitpid(child, NULL, 0);
      close(results[0]);
      close(results[1]);
      spent += told[0];
      count += told[1];
    } else {
      char* fresh = map(pages);
      const long before = faults(RUSAGE_SELF);
      const long long start = now();
      touch(fresh, pages, 1);
      spent += now() - start;
      count += faults(RUSAGE_SELF) - before;
      munmap(fresh, pages * page);
    }
  }
  printf("%ld %lld\n", count, spent);
  return 0;
}
