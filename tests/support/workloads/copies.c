// SPDX-License-Identifier: Apache-2.0
// Write-protect faults of every kind, with known numbers of copies. A parent fills mib=N (32) and forks children, who
// then act in turn, one step each, after SIGUSR1.
//   steps=TEXT  "Aw,Pw": who (P the parent, A and B its children) and what, see act(). A child that has no step is not
//               made; with B there is A.
//   thp=1       the region is of transparent huge pages
// Says "child 0 PID", "child 1 PID", then "ready PID"; for each process "smaps I BEFORE AFTER", the Private_Dirty KiB
// of the region around its own first to last step (I: 0 the parent, 1 and 2 the children); at the end "done".
#include "workload.h"

#include <sys/uio.h>

enum { kPage = 4096, kHuge = 2 << 20, kActors = 3 };

static size_t bytes;
static char *region, *own;

static long private_dirty(const void* start) {
  FILE* file = fopen("/proc/self/smaps", "r");
  if (!file) wl_fail("/proc/self/smaps");
  char line[512];
  long found = -1, kib;
  bool inside = false;
  while (found < 0 && fgets(line, sizeof line, file)) {
    unsigned long from, to;
    if (sscanf(line, "%lx-%lx ", &from, &to) == 2) inside = from <= (unsigned long)start && (unsigned long)start < to;
    if (inside && sscanf(line, "Private_Dirty: %ld kB", &kib) == 1) found = kib;
  }
  fclose(file);
  return found;
}

static char* aligned(bool huge) {
  char* memory = wl_map_private(bytes + kHuge);
  memory = (char*)(((unsigned long)memory + kHuge - 1) / kHuge * kHuge);
  if (madvise(memory, bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE)) wl_fail("madvise");
  return memory;
}

static void read_all(const char* memory) {
  for (size_t at = 0; at < bytes; at += kPage) (void)((const volatile char*)memory)[at];
}

// Another process's hand: get_user_pages() breaks the sharing, and no page fault is taken.
static void write_remotely(char* memory) {
  char zero = 0;
  for (size_t at = 0; at < bytes; at += kPage) {
    struct iovec from = {&zero, 1}, to = {memory + at, 1};
    if (process_vm_writev(getpid(), &from, 1, &to, 1, 0) != 1) wl_fail("process_vm_writev");
  }
}

static void write_by_kernel(char* memory) {
  int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  for (size_t at = 0; at < bytes; at += kPage)
    if (pread(zero, memory + at, 8, 0) != 8) wl_fail("read /dev/zero");
  close(zero);
}

static void clear_soft_dirty(void) {
  int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, "4", 1) != 1) wl_fail("clear_refs");
  close(fd);
}

static void write_private_file(void) {
  char name[] = "/var/tmp/oomtrace-copies-XXXXXX";
  int fd = mkstemp(name);
  if (fd < 0 || unlink(name) || ftruncate(fd, (off_t)bytes)) wl_fail("temporary file");
  char* memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  if (memory == MAP_FAILED) wl_fail("mmap");
  read_all(memory);
  wl_touch(memory, bytes);
  close(fd);
}

static void do_step(char what) {
  switch (what) {
    case 'w':  // writes to every page that was there at the fork
      wl_touch(region, bytes);
      break;
    case 'h':  // to the first half of them
      wl_touch(region, bytes / 2);
      break;
    case 's':  // to one page of each 2 MiB
      for (size_t at = 0; at < bytes; at += kHuge) ((volatile char*)region)[at] = 1;
      break;
    case 'r':
      read_all(region);
      break;
    case 'k':
      write_by_kernel(region);
      break;
    case 'g':
      write_remotely(region);
      break;
    case 'x':  // ends
      _exit(0);
    case 'n':  // fills memory of its own
      own = aligned(false);
      wl_touch(own, bytes);
      break;
    case 'o':  // and writes to it again
      wl_touch(own, bytes);
      break;
    case 'd':  // having cleared the soft-dirty bits
      clear_soft_dirty();
      break;
    case 'm':  // having write-protected it for a moment
      if (mprotect(own, bytes, PROT_READ) || mprotect(own, bytes, PROT_READ | PROT_WRITE)) wl_fail("mprotect");
      break;
    case 'p':  // having taken all access away for a moment
      if (mprotect(own, bytes, PROT_NONE) || mprotect(own, bytes, PROT_READ | PROT_WRITE)) wl_fail("mprotect");
      break;
    case 'z':  // reads new memory, then writes to it
      own = aligned(false);
      read_all(own);
      wl_touch(own, bytes);
      break;
    case 'f':
      write_private_file();
      break;
    default:
      wl_fail("steps");
  }
}

// The recorder tells of a process at most every 100 ms, when it faults and has moved by 4 MiB. Told in the middle of a
// step and then not before the kill seconds later, on a busy machine, it would seem to have rested in the middle: so
// each step ends with faults enough to be told once more.
static void act(char what) {
  const size_t enough = (4 << 20) + (512 << 10);
  do_step(what);
  if (what == 'r') return;
  usleep(120000);
  char* more = wl_map_private(enough);
  if (madvise(more, enough, MADV_NOHUGEPAGE)) wl_fail("madvise");
  wl_touch(more, enough);
}

static void report(int actor, long before) { wl_say("smaps %d %ld %ld\n", actor, before, private_dirty(region)); }

static void serve(int actor, int orders, int answers) {
  char what;
  long before = private_dirty(region);
  while (read(orders, &what, 1) == 1) {
    if (what == '.')
      report(actor, before);
    else
      act(what);
    if (write(answers, &what, 1) != 1) _exit(3);
  }
  for (;;) pause();
}

static void order(int orders, int answers, char what) {
  char answer;
  if (write(orders, &what, 1) != 1) wl_fail("order");
  if (read(answers, &answer, 1) != 1 && what != 'x') wl_fail("a child died");
}

int main(int argc, char** argv) {
  struct workload w;
  wl_start(&w, argc, argv);
  bytes = (size_t)wl_number(&w, "mib", 32) << 20;
  if (bytes > (size_t)w.cap << 20) wl_fail("mib is more than cap");
  const char* steps = wl_text(&w, "steps", "Aw");
  region = aligned(wl_number(&w, "thp", 0) != 0);
  wl_touch(region, bytes);
  int orders[kActors] = {-1, -1, -1}, answers[kActors] = {-1, -1, -1};
  pid_t parent = getpid(), child[kActors] = {0};
  int last = strchr(steps, 'B') ? 2 : strchr(steps, 'A') ? 1 : 0;
  for (int i = 1; i <= last; i++) {
    int to[2], from[2];
    if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC)) wl_fail("pipe");
    child[i] = fork();
    if (child[i] < 0) wl_fail("fork");
    if (!child[i]) {
      wl_arm_timeout(&w);
      wl_bind_to_parent(parent);
      close(to[1]);
      close(from[0]);
      serve(i, to[0], from[1]);
    }
    close(to[0]);
    close(from[1]);
    orders[i] = to[1];
    answers[i] = from[0];
    wl_say("child %d %d\n", i - 1, child[i]);
  }
  long before = private_dirty(region);
  wl_ready(&w);
  for (const char* step = steps; step[0] && step[1]; step += step[2] == ',' ? 3 : 2) {
    const int actor = step[0] == 'P' ? 0 : step[0] - 'A' + 1;
    if (actor < 0 || actor > last) wl_fail("steps");
    if (actor == 0) {
      act(step[1]);
      continue;
    }
    order(orders[actor], answers[actor], step[1]);
    if (step[1] == 'x') {
      waitpid(child[actor], NULL, 0);
      child[actor] = 0;
    }
  }
  report(0, before);
  for (int i = 1; i <= last; i++)
    if (child[i]) order(orders[i], answers[i], '.');
  wl_say("done\n");
  wl_hold(&w);
}
