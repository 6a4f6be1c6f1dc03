// SPDX-License-Identifier: Apache-2.0
// epoll over the rings, a timer, a signalfd and a pidfd.
#include "cli/record_loop.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/fd.h"
#include "base/sys_error.h"

namespace oomtrace::cli {

namespace {

// Lifecycle and growth records do not wake anybody: this is how long they may wait.
constexpr long kServiceIntervalNs = 50'000'000;
constexpr int kServicesPerSecond = 20;

sigset_t loop_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&set, signal);
  return set;
}

Result<void> watch(const Fd& epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0) return fail_errno(Errc::kOutput, "epoll_ctl", errno);
  return {};
}

// Becomes readable when somebody sets the clock: the session then looks at it at once. timerfd_create(2),
// TFD_TIMER_CANCEL_ON_SET.
Fd watch_clock() {
  Fd clock(timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK));
  const itimerspec never{{0, 0}, {time_t{1} << 33, 0}};
  if (clock) timerfd_settime(clock.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, nullptr);
  return clock;
}

}  // namespace

void block_signals() {
  const sigset_t set = loop_signals();
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
}

Result<LoopEnd> run_loop(capture::Session& session, Child* child, const LoopHooks& hooks) {
  const Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  const sigset_t set = loop_signals();
  const Fd signals(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  const Fd timer(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  const itimerspec interval{{0, kServiceIntervalNs}, {0, kServiceIntervalNs}};
  if (!epoll || !signals || !timer || timerfd_settime(timer.get(), 0, &interval, nullptr) != 0)
    return fail_errno(Errc::kOutput, "set up the recording loop", errno);
  for (const int fd : {session.epoll_fd(), signals.get(), timer.get()})
    if (auto watched = watch(epoll, fd); !watched) return tl::make_unexpected(watched.error());
  if (child != nullptr)
    if (auto watched = watch(epoll, child->pidfd()); !watched) return tl::make_unexpected(watched.error());

  const Fd clock = watch_clock();
  if (clock)
    if (auto watched = watch(epoll, clock.get()); !watched) return tl::make_unexpected(watched.error());

  int until_second = kServicesPerSecond;
  while (!hooks.finished || !hooks.finished()) {
    epoll_event events[8];
    const int count = epoll_wait(epoll.get(), events, 8, -1);
    if (count < 0 && errno != EINTR) return fail_errno(Errc::kOutput, "epoll_wait", errno);
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      if (fd == timer.get()) {
        std::uint64_t expirations = 0;
        if (read(timer.get(), &expirations, sizeof(expirations)) != sizeof(expirations)) continue;
        until_second -= static_cast<int>(std::min<std::uint64_t>(expirations, kServicesPerSecond));
      } else if (clock && fd == clock.get()) {
        std::uint64_t expirations = 0;
        // ECANCELED, once for each setting.
        if (read(clock.get(), &expirations, sizeof(expirations)) < 0 && errno != ECANCELED) continue;
      } else if (fd == signals.get()) {
        signalfd_siginfo info{};
        if (read(signals.get(), &info, sizeof(info)) != sizeof(info)) continue;
        if (info.ssi_signo == SIGHUP && info.ssi_code != SI_KERNEL && hooks.reopen && hooks.reopen()) continue;
        if (child == nullptr) return LoopEnd{"signal", std::nullopt};
        child->forward(static_cast<int>(info.ssi_signo));
      } else if (child != nullptr && fd == child->pidfd()) {
        return LoopEnd{"command_exited", child->wait()};
      }
    }
    session.service();
    if (hooks.after_service) hooks.after_service();
    if (until_second <= 0) {
      until_second = kServicesPerSecond;
      session.sample();
      if (hooks.each_second) hooks.each_second();
    }
  }
  return LoopEnd{"error", std::nullopt};
}

}  // namespace oomtrace::cli
