// SPDX-License-Identifier: Apache-2.0
// Gives everything up, then fork(2) for each job.
#include "cli/helper_server.h"

#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <exception>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "cli/syscall_filter.h"
#include "cli/tell.h"

namespace oomtrace::cli {

namespace {

constexpr int kSocket = 3;
constexpr int kFailed = 1;
// A report of a segment takes a small part of it; what would take more fails instead of driving a machine out of
// memory again.
constexpr rlim_t kMaxJobMemory = rlim_t{1} << 30;

// Behind the training, but not for ever: at nice 19 a machine with busy cores would have its post-mortem after minutes.
void lower_priority() {
  constexpr int kNice = 5;
  static_cast<void>(setpriority(PRIO_PROCESS, 0, kNice));
  // include/uapi/linux/ioprio.h: who = process; the last level of class best effort.
  constexpr int kWhoProcess = 1;
  constexpr int kLastBestEffort = (2 << 13) | 7;
  static_cast<void>(syscall(SYS_ioprio_set, kWhoProcess, 0, kLastBestEffort));
}

bool become(uid_t uid, gid_t gid) {
  const bool root = geteuid() == 0;
  if (root && setgroups(0, nullptr) != 0) return false;
  if (setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0) return false;
  const cap_t none = cap_init();
  const bool dropped = none != nullptr && cap_set_proc(none) == 0;
  cap_free(none);
  // Without it the kernel gives root all capabilities back at the next exec.
  return dropped && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

bool keep_only(const Fd& socket) {
  {
    // Closed before the socket takes its number, which may have been this one's.
    const Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null || dup2(null.get(), STDIN_FILENO) < 0 || dup2(null.get(), STDOUT_FILENO) < 0) return false;
  }
  if (socket.get() != kSocket && dup2(socket.get(), kSocket) < 0) return false;
  return syscall(SYS_close_range, kSocket + 1, ~0U, 0) == 0;
}

std::vector<std::string> texts_of(std::string_view message) {
  std::vector<std::string> texts;
  while (!message.empty()) {
    const std::size_t end = message.find('\0');
    if (end == std::string_view::npos) break;
    texts.emplace_back(message.substr(0, end));
    message.remove_prefix(end + 1);
  }
  return texts;
}

[[noreturn]] void do_job(const std::vector<std::string>& job, pid_t server, HelperWork work) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != server) _exit(kFailed);
  if (auto file = open_fd("/proc/self/oom_score_adj", O_WRONLY)) static_cast<void>(write_all(*file, "1000"));
#ifndef __SANITIZE_ADDRESS__  // the sanitizer's shadow alone takes terabytes of addresses
  const rlimit memory{kMaxJobMemory, kMaxJobMemory};
  setrlimit(RLIMIT_AS, &memory);
#endif
  // What files may say it reads, so it may do no more than read and write others beside them.
  Fd(kSocket).reset();
  SyscallNeeds needs;
  needs.make_files = true;
  static_cast<void>(refuse_syscalls(needs));
  int status = kFailed;
  try {
    status = work(job);
  } catch (const std::exception& error) {
    tell("oomtrace {}: {}\n", job.front(), error.what());
  }
  _exit(status);
}

void answer(pid_t pid, HelperSays what) {
  const HelperAnswer said{pid, what};
  static_cast<void>(send(kSocket, &said, sizeof(said), MSG_NOSIGNAL));
}

// Until the job has ended; the helper ends with the recorder.
HelperSays wait_for(pid_t pid) {
  const Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  std::array<pollfd, 2> watched{{{pidfd.get(), POLLIN, 0}, {kSocket, POLLRDHUP, 0}}};
  while (pidfd && watched[0].revents == 0) {
    if (poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) break;
    if ((watched[1].revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0) _exit(0);
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  const bool again = WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) == kTryAgain);
  return again ? HelperSays::kKilled : HelperSays::kDone;
}

}  // namespace

void serve_jobs(const Fd& socket, const Fd& directory, uid_t uid, gid_t gid, HelperWork work) {
  prctl(PR_SET_NAME, "oomtrace-helper");
  lower_priority();
  if (fchdir(directory.get()) != 0 || !keep_only(socket) || !become(uid, gid)) _exit(kFailed);
  // Changing the user has made /proc/self root's; a job must reach its oom_score_adj there.
  prctl(PR_SET_DUMPABLE, 1);
  std::array<char, kMaxJobBytes> message;
  for (;;) {
    const ssize_t size = recv(kSocket, message.data(), message.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) _exit(0);
    const auto job = texts_of({message.data(), static_cast<std::size_t>(size)});
    const pid_t server = getpid();
    const pid_t pid = job.empty() ? -1 : fork();
    if (pid == 0) do_job(job, server, work);
    if (pid < 0) {
      answer(0, HelperSays::kKilled);
      continue;
    }
    answer(pid, HelperSays::kStarted);
    answer(pid, wait_for(pid));
  }
}

}  // namespace oomtrace::cli
