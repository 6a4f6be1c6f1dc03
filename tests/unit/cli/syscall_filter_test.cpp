// SPDX-License-Identifier: Apache-2.0
// What a process may not do behind the filter, that it could before, and what it still may.
#include "cli/syscall_filter.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace oomtrace::test {
namespace {

using cli::SyscallNeeds;

constexpr int kNoFilter = 254;

// errno of a call in a process of its own, behind the filter where there is one; 0: it succeeded.
int error_of(const std::optional<SyscallNeeds>& needs, const std::function<long()>& call) {
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (needs && cli::refuse_syscalls(*needs)) _exit(kNoFilter);
    errno = 0;
    _exit(call() < 0 ? errno : 0);
  }
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct Call {
  const char* name;
  std::function<long()> call;
};

long with_junk(int value) { return static_cast<long>(value) | 1L << 40; }

long fork_and_end() {
  const long pid = syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (pid == 0) _exit(0);
  return pid;
}

long in_thread(const std::function<long()>& call) {
  long result = -1;
  int error = 0;
  std::thread([&] {
    result = call();
    error = errno;
  }).join();
  errno = error;
  return result;
}

// What anybody may do.
const std::vector<Call> kHarmless = {
    {"a program", [] { return static_cast<long>(execl("/bin/true", "true", nullptr)); }},
    {"a process", fork_and_end},
    {"to be traced", [] { return ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }},
    {"a signal to another", [] { return static_cast<long>(kill(getppid(), 0)); }},
    {"a signal to another's thread", [] { return syscall(SYS_tgkill, getppid(), getppid(), 0); }},
    {"another's limits",
     [] {
       rlimit limit{};
       return syscall(SYS_prlimit64, getppid(), RLIMIT_CORE, nullptr, &limit);
     }},
    {"a file to write", [] { return static_cast<long>(open("/dev/null", O_WRONLY)); }},
    {"a file to write, by a flag with junk beside it",
     [] { return syscall(SYS_openat, AT_FDCWD, "/dev/null", with_junk(O_RDWR), 0); }},
    {"memory to execute",
     [] {
       void* const at = mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
       return at == MAP_FAILED ? -1L : 0L;
     }},
    {"a socket of the Internet", [] { return static_cast<long>(socket(AF_INET, SOCK_DGRAM, 0)); }},
    {"a socket", [] { return static_cast<long>(socket(AF_UNIX, SOCK_STREAM, 0)); }},
};

TEST(SyscallFilter, refuses_what_anybody_may_do_and_a_reader_need_not) {
  for (const auto& [name, call] : kHarmless) {
    EXPECT_EQ(error_of(std::nullopt, call), 0) << name << ", without a filter";
    EXPECT_EQ(error_of(SyscallNeeds{}, call), EPERM) << name;
  }
}

TEST(SyscallFilter, refuses_what_needs_rights) {
  const std::vector<Call> calls = {
      {"mount", [] { return static_cast<long>(mount("none", "/nowhere", "tmpfs", 0, nullptr)); }},
      {"another user", [] { return static_cast<long>(setresuid(getuid(), getuid(), getuid())); }},
      {"a module", [] { return syscall(SYS_finit_module, -1, "", 0); }},
      {"a kernel", [] { return syscall(SYS_kexec_load, 0, 0, nullptr, 0); }},
      {"perf events", [] { return syscall(SYS_perf_event_open, nullptr, 0, -1, -1, 0); }},
      {"a ring of calls", [] { return syscall(SYS_io_uring_setup, 1, nullptr); }},
      {"another's memory", [] { return syscall(SYS_process_vm_writev, getppid(), nullptr, 0, nullptr, 0, 0); }},
      {"another's descriptor", [] { return syscall(SYS_pidfd_getfd, -1, 0, 0); }},
      {"a namespace", [] { return static_cast<long>(unshare(CLONE_NEWUTS)); }},
      {"a program of BPF", [] { return syscall(SYS_bpf, BPF_PROG_LOAD, nullptr, 0); }},
      {"the same with junk beside it", [] { return syscall(SYS_bpf, with_junk(BPF_PROG_LOAD), nullptr, 0); }},
      {"words typed at a terminal", [] { return static_cast<long>(ioctl(0, TIOCSTI, "x")); }},
      {"the same with junk beside it", [] { return syscall(SYS_ioctl, 0, with_junk(TIOCSTI), "x"); }},
  };
  SyscallNeeds needs;
  needs.read_maps = true;
  for (const auto& [name, call] : calls) EXPECT_EQ(error_of(needs, call), EPERM) << name;
  // Where others, or the C library, have a way to go instead.
  EXPECT_EQ(error_of(needs, [] { return syscall(SYS_clone3, nullptr, 0); }), ENOSYS);
  EXPECT_EQ(error_of(needs, [] { return syscall(SYS_openat2, AT_FDCWD, "/", nullptr, 0); }), ENOSYS);
}

TEST(SyscallFilter, allows_what_is_asked_for_and_no_more) {
  SyscallNeeds needs;
  needs.make_files = needs.make_sockets = needs.read_maps = true;
  needs.signal_pid = getpid();
  EXPECT_EQ(error_of(needs, [] { return static_cast<long>(open("/dev/null", O_RDWR | O_CREAT, 0600)); }), 0);
  EXPECT_EQ(error_of(needs, [] { return static_cast<long>(unlink("/nowhere/x")); }), ENOENT);
  EXPECT_EQ(error_of(needs, [] { return static_cast<long>(chmod("/nowhere/x", 0600)); }), EPERM);
  EXPECT_EQ(error_of(needs, [] { return static_cast<long>(socket(AF_UNIX, SOCK_STREAM, 0)); }), 0);
  EXPECT_EQ(error_of(needs, [] { return static_cast<long>(socket(AF_NETLINK, SOCK_RAW, 0)); }), EPERM);
  EXPECT_EQ(error_of(needs, [] { return static_cast<long>(kill(getppid(), 0)); }), 0);
  EXPECT_EQ(error_of(needs, [] { return static_cast<long>(kill(getpid(), 0)); }), EPERM);
  for (const int command : {BPF_MAP_LOOKUP_ELEM, BPF_ITER_CREATE, BPF_OBJ_GET_INFO_BY_FD, BPF_MAP_LOOKUP_BATCH}) {
    bpf_attr attr{};
    attr.map_fd = static_cast<__u32>(-1);
    const auto call = [&] { return syscall(SYS_bpf, command, &attr, sizeof(attr)); };
    EXPECT_EQ(error_of(needs, call), error_of(std::nullopt, call)) << command;
  }
}

TEST(SyscallFilter, leaves_reading_writing_and_threads) {
  EXPECT_EQ(error_of(SyscallNeeds{},
                     [] {
                       const int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
                       char byte = 0;
                       if (file < 0 || read(file, &byte, 1) != 1) return -1L;
                       int ends[2];
                       if (pipe(ends) != 0 || write(ends[1], "x", 1) != 1) return -1L;
                       const std::vector<char> memory(8 << 20, 'x');  // taken from the kernel by mmap(2)
                       return in_thread([] { return static_cast<long>(getpid()); });
                     }),
            0);
}

TEST(SyscallFilter, holds_in_threads_that_run_and_in_those_to_come) {
  EXPECT_EQ(error_of(std::nullopt,
                     [] {
                       std::atomic<bool> filtered = false;
                       long forked = 0;
                       int error = 0;
                       std::thread earlier([&] {
                         while (!filtered) std::this_thread::yield();
                         forked = fork_and_end();
                         error = errno;
                       });
                       const bool refused = cli::refuse_syscalls({}).has_value();
                       filtered = true;
                       earlier.join();
                       if (refused || forked >= 0) return 0L;
                       if (in_thread(fork_and_end) >= 0) return 0L;
                       errno = error;
                       return -1L;
                     }),
            EPERM);
}

}  // namespace
}  // namespace oomtrace::test
