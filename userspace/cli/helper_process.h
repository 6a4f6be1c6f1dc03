// SPDX-License-Identifier: Apache-2.0
// A second process of a recorder, for what takes time and memory and reads files back: it has no rights to lose, and
// the kernel may kill it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "cli/helper_server.h"
#include "oomtrace/result.h"

namespace oomtrace::cli {

struct HelperOptions {
  uid_t uid = 0;  // whom the directory belongs to: as that user the helper runs
  gid_t gid = 0;
  HelperWork work = nullptr;
  std::chrono::nanoseconds retry_after = std::chrono::seconds(10);
};

// Jobs run one after the other. One that is killed (memory may still be short) or asks for it is tried again, a few
// times; one that fails is not: it says why itself, on standard error. Not thread-safe. The helper ends with its
// recorder.
class HelperProcess {
 public:
  // Forks: before there are threads, and before privileges are dropped. Errors: Errc::kOutput.
  static Result<std::unique_ptr<HelperProcess>> start(const Fd& directory, const HelperOptions& options);

  HelperProcess(const HelperProcess&) = delete;
  HelperProcess& operator=(const HelperProcess&) = delete;
  ~HelperProcess();  // what still runs is killed

  // No text may hold a NUL.
  void run(const std::vector<std::string>& job);
  // Takes answers, gives the next job. Call it now and then.
  void service(std::uint64_t boot_now_ns);
  // Waits until all are done, but not longer than that.
  void finish(std::chrono::milliseconds patience);

  // Whether the process does a job now. Neither waits nor allocates.
  bool is_helper(pid_t pid) noexcept;
  // After finish(): jobs that were not done: too many at once, killed each time, or the helper itself is gone.
  std::uint64_t left_out() const { return left_out_ + jobs_.size(); }

 private:
  struct Job {
    std::string message;
    int attempts = 0;
  };

  HelperProcess(Fd socket, pid_t pid, const HelperOptions& options)
      : socket_(std::move(socket)), pid_(pid), options_(options) {}
  void take_answers() noexcept;

  Fd socket_;
  const pid_t pid_;
  const HelperOptions options_;
  std::deque<Job> jobs_;
  bool in_flight_ = false;           // the first of them
  std::optional<HelperSays> ended_;  // of the job in flight
  bool gone_ = false;
  pid_t running_ = 0;
  std::uint64_t left_out_ = 0;
  std::uint64_t not_before_ns_ = 0;
};

}  // namespace oomtrace::cli
