// SPDX-License-Identifier: Apache-2.0
// Descriptors 0 to 2 that are closed, and words that nobody takes.
#include "cli/standard_descriptors.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <functional>

#include "cli/tell.h"

namespace oomtrace::test {
namespace {

// Exit status of a process that does that.
int status_of(const std::function<int()>& work) {
  const pid_t pid = fork();
  if (pid == 0) _exit(work());
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool is_null(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
}

TEST(StandardDescriptors, null_stands_where_one_is_closed) {
  for (int closed = 1; closed < 8; ++closed) {
    EXPECT_EQ(status_of([closed] {
                struct stat before[3]{};
                for (int fd = 0; fd < 3; ++fd)
                  if ((closed & 1 << fd) != 0)
                    close(fd);
                  else
                    fstat(fd, &before[fd]);
                if (!cli::hold_standard_descriptors()) return 1;
                for (int fd = 0; fd < 3; ++fd) {
                  struct stat now {};
                  if ((closed & 1 << fd) != 0 && !is_null(fd)) return 2 + fd;
                  if ((closed & 1 << fd) == 0 && (fstat(fd, &now) != 0 || now.st_ino != before[fd].st_ino)) return 5;
                }
                return open("/dev/null", O_RDONLY) > 2 ? 0 : 6;
              }),
              0)
        << closed;
  }
}

TEST(StandardDescriptors, data_for_a_closed_output_is_an_error_and_words_are_not) {
  EXPECT_EQ(status_of([] {
              for (int fd = 0; fd < 3; ++fd) close(fd);
              if (!cli::hold_standard_descriptors()) return 1;
              char byte = 0;
              if (read(STDIN_FILENO, &byte, 1) != 0) return 2;
              if (write(STDOUT_FILENO, "x", 1) != -1 || errno != EBADF) return 3;
              return write(STDERR_FILENO, "x", 1) == 1 ? 0 : 4;
            }),
            0);
}

TEST(Tell, a_reader_that_is_gone_ends_nothing) {
  EXPECT_EQ(status_of([] {
              signal(SIGPIPE, SIG_IGN);
              int ends[2];
              if (pipe(ends) != 0 || dup2(ends[1], STDERR_FILENO) < 0) return 1;
              close(ends[0]);
              cli::tell("nobody reads {}\n", "this");
              return 0;
            }),
            0);
}

TEST(Tell, a_pipe_that_is_full_is_waited_for_but_not_for_long) {
  EXPECT_EQ(status_of([] {
              int ends[2];
              if (pipe2(ends, O_NONBLOCK) != 0) return 1;
              while (write(ends[1], "x", 1) == 1) {
              }
              if (dup2(ends[1], STDERR_FILENO) < 0) return 2;
              const auto begun = std::chrono::steady_clock::now();
              cli::tell_text("too much\n");
              return std::chrono::steady_clock::now() - begun < std::chrono::seconds(20) ? 0 : 3;
            }),
            0);
}

}  // namespace
}  // namespace oomtrace::test
