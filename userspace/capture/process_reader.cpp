// SPDX-License-Identifier: Apache-2.0
// A request queue, a result list, one thread between them.
#include "capture/process_reader.h"

#include <csignal>
#include <utility>

namespace oomtrace::capture {

ProcessReader::ProcessReader(bool redact)
    : redact_(redact), thread_([this](const std::stop_token& stop) { run(stop); }) {}

ProcessReader::~ProcessReader() {
  thread_.request_stop();
  wake_.notify_all();
}

bool ProcessReader::request(Request wanted) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= kMaxWaiting) return false;
    waiting_.push_back(wanted);
  }
  wake_.notify_one();
  return true;
}

std::vector<OwnedProcessInfo> ProcessReader::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(done_, {});
}

void ProcessReader::run(const std::stop_token& stop) {
  // Signals belong to the main thread's signalfd.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (!wake_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
    const Request wanted = waiting_.front();
    waiting_.pop_front();
    lock.unlock();
    auto info = read_process_info(wanted.pid, wanted.start_boot_ns, redact_);
    lock.lock();
    if (info) done_.push_back(*std::move(info));
  }
}

}  // namespace oomtrace::capture
