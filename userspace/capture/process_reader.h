// SPDX-License-Identifier: Apache-2.0
// Reads /proc/PID in a thread of its own: such a read takes the process's mmap lock and may wait behind reclaim, which
// the thread that drains the rings must never do.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "capture/process_info.h"

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

  // What has been read since the last call.
  std::vector<OwnedProcessInfo> take();

 private:
  void run(const std::stop_token& stop);

  static constexpr std::size_t kMaxWaiting = 8192;
  const bool redact_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Request> waiting_;
  std::vector<OwnedProcessInfo> done_;
  std::jthread thread_;  // last: it uses the members above
};

}  // namespace oomtrace::capture
