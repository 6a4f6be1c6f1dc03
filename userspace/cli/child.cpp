// SPDX-License-Identifier: Apache-2.0
// fork, wait for the word, become the user, exec.
#include "cli/child.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "base/sys_error.h"

namespace oomtrace::cli {

namespace {

[[noreturn]] void give_up(int failed, int code) {
  const ssize_t written = write(failed, &code, sizeof(code));
  _exit(written == sizeof(code) ? 127 : 126);
}

[[noreturn]] void run_child(const std::vector<char*>& arguments, const std::vector<char*>& environment,
                            const InvokingUser& user, int go, int failed) {
  char word = 0;
  ssize_t got = 0;
  do got = read(go, &word, 1);
  while (got < 0 && errno == EINTR);
  if (got != 1) _exit(125);  // the recorder gave up or is gone

  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  signal(SIGXFSZ, SIG_DFL);
  if (user.through_sudo) {
    if (setgroups(user.groups.size(), user.groups.data()) != 0) give_up(failed, errno);
    if (setresgid(user.gid, user.gid, user.gid) != 0) give_up(failed, errno);
    if (setresuid(user.uid, user.uid, user.uid) != 0) give_up(failed, errno);
  }
  // execvpe looks along the PATH of this process, so the user's must be ours first.
  environ = const_cast<char**>(environment.data());
  execvp(arguments[0], arguments.data());
  give_up(failed, errno);
}

Result<std::pair<Fd, Fd>> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail_errno(Errc::kOutput, "pipe", errno);
  return std::pair<Fd, Fd>(Fd(ends[0]), Fd(ends[1]));
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (const std::string& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

}  // namespace

Result<Child> Child::prepare(const std::vector<std::string>& command, const InvokingUser& user) {
  auto go = make_pipe();
  auto failed = make_pipe();
  if (!go) return tl::make_unexpected(go.error());
  if (!failed) return tl::make_unexpected(failed.error());
  const std::vector<std::string> environment = invoking_environment(user);
  const std::vector<char*> argument_list = pointers(command);
  const std::vector<char*> environment_list = pointers(environment);

  const pid_t pid = fork();
  if (pid < 0) return fail_errno(Errc::kOutput, "fork", errno);
  if (pid == 0) {
    go->second.reset();
    failed->first.reset();
    run_child(argument_list, environment_list, user, go->first.get(), failed->second.get());
  }
  Child child;
  child.pid_ = pid;
  child.pidfd_ = Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  child.go_ = std::move(go->second);
  child.failed_ = std::move(failed->first);
  if (!child.pidfd_.valid()) return fail_errno(Errc::kKernelUnsupported, "pidfd_open", errno);
  return child;
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      started_(other.started_),
      pidfd_(std::move(other.pidfd_)),
      go_(std::move(other.go_)),
      failed_(std::move(other.failed_)) {}

Child::~Child() {
  if (pid_ < 0 || started_) return;
  go_.reset();  // end of file: it exits
  waitpid(pid_, nullptr, 0);
}

Result<void> Child::start() {
  started_ = true;
  const char word = 1;
  if (write(go_.get(), &word, 1) != 1) return fail_errno(Errc::kOutput, "start the command", errno);
  go_.reset();
  int code = 0;
  ssize_t got = 0;
  do got = read(failed_.get(), &code, sizeof(code));
  while (got < 0 && errno == EINTR);
  failed_.reset();
  if (got == 0) return {};
  waitpid(pid_, nullptr, 0);
  return fail(Errc::kUsage, errno_text(code), code);
}

int Child::wait() {
  int status = -1;
  while (waitpid(pid_, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return status;
}

void Child::forward(int signal) const { kill(pid_, signal); }

}  // namespace oomtrace::cli
