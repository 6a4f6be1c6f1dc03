// SPDX-License-Identifier: Apache-2.0
// One job in flight at a time over a socket pair.
#include "cli/helper_process.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/sys_error.h"

namespace oomtrace::cli {

namespace {

constexpr int kMaxAttempts = 4;
constexpr std::size_t kMaxJobs = 512;

std::uint64_t boot_now_ns() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

Result<std::unique_ptr<HelperProcess>> HelperProcess::start(const Fd& directory, const HelperOptions& options) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail_errno(Errc::kOutput, "socketpair", errno);
  Fd ours(ends[0]);
  const Fd theirs(ends[1]);
  const pid_t pid = fork();
  if (pid < 0) return fail_errno(Errc::kOutput, "fork", errno);
  if (pid == 0) {
    ours.reset();
    serve_jobs(theirs, directory, options.uid, options.gid, options.work);
  }
  return std::unique_ptr<HelperProcess>(new HelperProcess(std::move(ours), pid, options));
}

HelperProcess::~HelperProcess() {
  socket_.reset();  // end of file: it ends, and what it runs with it
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void HelperProcess::run(const std::vector<std::string>& job) {
  std::string message;
  for (const std::string& text : job) message.append(text).push_back('\0');
  if (message.empty() || message.size() > kMaxJobBytes || jobs_.size() >= kMaxJobs || gone_) {
    ++left_out_;
    return;
  }
  jobs_.push_back(Job{std::move(message)});
}

void HelperProcess::take_answers() noexcept {
  while (!ended_) {
    HelperAnswer said;
    const ssize_t size = recv(socket_.get(), &said, sizeof(said), MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    gone_ = gone_ || size == 0 || (size < 0 && errno != EAGAIN);
    if (size != sizeof(said)) return;
    const bool started = said.what == HelperSays::kStarted;
    running_ = started ? said.pid : 0;
    if (!started) ended_ = said.what;
  }
}

void HelperProcess::service(std::uint64_t now_ns) {
  if (in_flight_) take_answers();
  if (ended_) {
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    in_flight_ = false;
    if (std::exchange(ended_, std::nullopt) == HelperSays::kKilled) {
      not_before_ns_ = now_ns + static_cast<std::uint64_t>(options_.retry_after.count());
      if (++job.attempts < kMaxAttempts)
        jobs_.push_back(std::move(job));
      else
        ++left_out_;
    }
  }
  if (!gone_ && !in_flight_ && !jobs_.empty() && now_ns >= not_before_ns_) {
    const std::string& message = jobs_.front().message;
    in_flight_ = send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
    gone_ = !in_flight_ && errno == EPIPE;
  }
  if (!gone_) return;
  left_out_ += jobs_.size();
  jobs_.clear();
  in_flight_ = false;
  running_ = 0;
}

void HelperProcess::finish(std::chrono::milliseconds patience) {
  const std::uint64_t patience_ns = static_cast<std::uint64_t>(patience.count()) * 1'000'000;
  const std::uint64_t until_ns = boot_now_ns() + patience_ns;
  for (std::uint64_t now_ns = boot_now_ns(); now_ns < until_ns; now_ns = boot_now_ns()) {
    service(now_ns);
    if (jobs_.empty()) return;
    pollfd answer{socket_.get(), POLLIN, 0};
    constexpr int kTickMs = 50;  // a job may wait for its time
    static_cast<void>(poll(&answer, 1, kTickMs));
  }
}

bool HelperProcess::is_helper(pid_t pid) noexcept {
  if (in_flight_ && running_ == 0) take_answers();
  return pid > 0 && running_ == pid;
}

}  // namespace oomtrace::cli
