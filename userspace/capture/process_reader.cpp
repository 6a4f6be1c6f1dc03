// SPDX-License-Identifier: Apache-2.0
// A request queue, a result list, one thread between them.
#include "capture/process_reader.h"

#include <algorithm>
#include <csignal>
#include <utility>

namespace oomtrace::capture {

namespace {

constexpr std::uint64_t kWorthTelling = 1U << 20;  // bytes that the use of a mount must have changed by

}  // namespace

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

void ProcessReader::request_mounts() {
  {
    const std::lock_guard lock(mutex_);
    mounts_wanted_ = true;
  }
  wake_.notify_one();
}

std::vector<ProcessReader::SeenMount> ProcessReader::take_mounts() {
  const std::lock_guard lock(mutex_);
  return std::exchange(mounts_, {});
}

void ProcessReader::read_one(Request wanted, std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  auto info = read_process_info(wanted.pid, wanted.start_boot_ns, redact_);
  const auto mount = info ? read_shm_mount(wanted.pid) : std::nullopt;
  if (mount && (namespaces_.size() < kMaxNamespaces || namespaces_.contains(mount->mount_namespace))) {
    namespaces_[mount->mount_namespace] = {wanted.pid, mount->used_bytes};
  }
  lock.lock();
  if (info) done_.push_back(*std::move(info));
  if (mount) mounts_.push_back({wanted.pid, *mount});
}

void ProcessReader::read_mounts(std::unique_lock<std::mutex>& lock) {
  mounts_wanted_ = false;
  lock.unlock();
  std::vector<SeenMount> seen;
  for (auto place = namespaces_.begin(); place != namespaces_.end();) {
    Namespace& known = place->second;
    const auto mount = read_shm_mount(known.pid);
    // The process is gone, or its pid another's.
    if (!mount || mount->mount_namespace != place->first) {
      place = namespaces_.erase(place);
      continue;
    }
    ++place;
    const std::uint64_t used = mount->used_bytes;
    if (std::max(used, known.told_bytes) - std::min(used, known.told_bytes) < kWorthTelling) continue;
    known.told_bytes = used;
    seen.push_back({known.pid, *mount});
  }
  lock.lock();
  mounts_.insert(mounts_.end(), seen.begin(), seen.end());
}

void ProcessReader::run(const std::stop_token& stop) {
  // Signals belong to the main thread's signalfd.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (!wake_.wait(lock, stop, [this] { return !waiting_.empty() || mounts_wanted_; })) return;
    if (mounts_wanted_) read_mounts(lock);
    if (waiting_.empty()) continue;
    const Request wanted = waiting_.front();
    waiting_.pop_front();
    read_one(wanted, lock);
  }
}

}  // namespace oomtrace::capture
