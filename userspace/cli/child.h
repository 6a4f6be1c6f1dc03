// SPDX-License-Identifier: Apache-2.0
// Runs CMD of `record -- CMD` as the invoking user, with nothing of the recorder's left on it.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/fd.h"
#include "cli/invoking_user.h"
#include "oomtrace/result.h"

namespace oomtrace::cli {

class Child {
 public:
  // Forks now, while the recorder is still small and unlocked; the child waits for start() and inherits no descriptor
  // but 0, 1, 2, no capability, no locked memory and the oom_score_adj that the caller had.
  static Result<Child> prepare(const std::vector<std::string>& command, const InvokingUser& user);

  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  ~Child();  // a child that was never started ends

  pid_t pid() const { return pid_; }

  // Lets it exec. An error has errno of execve(2) in sys_errno.
  Result<void> start();

  // Readable once the child has ended.
  int pidfd() const { return pidfd_.get(); }

  // waitpid(2)'s status; -1 where it cannot be had.
  int wait();

  void forward(int signal) const;

 private:
  Child() = default;
  pid_t pid_ = -1;
  bool started_ = false;
  Fd pidfd_;
  Fd go_;      // written: exec
  Fd failed_;  // read: errno of a failed exec, or end of file
};

}  // namespace oomtrace::cli
