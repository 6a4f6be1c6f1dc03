// SPDX-License-Identifier: Apache-2.0
// Reads /proc/PID in a thread of its own: such a read takes the process's mmap lock and may wait behind reclaim, which
// the thread that drains the rings must never do.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "capture/process_info.h"
#include "capture/shm_mount.h"

namespace oomtrace::capture {

class ProcessReader {
 public:
  struct Request {
    std::uint32_t pid;
    std::uint64_t start_boot_ns;
  };

  explicit ProcessReader(bool redact);
  ~ProcessReader();
  ProcessReader(const ProcessReader&) = delete;
  ProcessReader& operator=(const ProcessReader&) = delete;

  // Never waits for a read. False when too many are waiting already; the caller may ask again later.
  bool request(Request wanted);

  // Has /dev/shm looked at again in every mount namespace of the processes that were read; what has hardly changed is
  // not told again.
  void request_mounts();

  // What has been read since the last call.
  std::vector<OwnedProcessInfo> take();

  struct SeenMount {
    std::uint32_t pid = 0;  // that sees it
    ShmMount mount;
  };
  std::vector<SeenMount> take_mounts();

 private:
  void run(const std::stop_token& stop);
  void read_one(Request wanted, std::unique_lock<std::mutex>& lock);
  void read_mounts(std::unique_lock<std::mutex>& lock);

  static constexpr std::size_t kMaxWaiting = 8192;
  static constexpr std::size_t kMaxNamespaces = 32;  // looked at again and again
  const bool redact_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Request> waiting_;
  std::vector<OwnedProcessInfo> done_;
  std::vector<SeenMount> mounts_;
  bool mounts_wanted_ = false;
  struct Namespace {
    std::uint32_t pid = 0;  // a process in it
    std::uint64_t told_bytes = 0;
  };
  std::map<std::uint64_t, Namespace> namespaces_;  // by inode; the thread's own
  std::jthread thread_;                            // last: it uses the members above
};

}  // namespace oomtrace::capture
