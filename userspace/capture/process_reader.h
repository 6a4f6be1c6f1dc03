// SPDX-License-Identifier: Apache-2.0
// Reads /proc/PID in a thread of its own: such a read takes the process's mmap lock and may wait behind reclaim, which
// the thread that drains the rings must never do.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "capture/meminfo.h"
#include "capture/process_info.h"
#include "capture/shm_mount.h"

namespace oomtrace::capture {

// What a thread that reads /proc is given to do; replaced in tests.
struct ProcessReads {
  std::optional<OwnedProcessInfo> (*info)(std::uint32_t pid, std::uint64_t start_boot_ns,
                                          bool redact) = read_process_info;
  std::optional<ShmMount> (*shm)(std::uint32_t pid) = read_shm_mount;
  bool (*memory_short)() = system_memory_is_short;
  std::chrono::steady_clock::time_point (*now)() = std::chrono::steady_clock::now;  // for how long it has been short
};

// A read may never come back: behind the mmap lock of a process that hangs in a file system of the network, or in
// memory that its owner does not let be read. The thread is then left to itself and another one goes on; a few times.
//
// The kernel holds a process's memory while its command line is read, and allocates under way (fs/proc/base.c,
// get_task_cmdline). A victim of the OOM killer whose reader waits for memory there keeps all that it has, and another
// process dies for it. So where memory is short, processes wait to be read, but not for ever: some machines always are.
class ProcessReader {
 public:
  struct Request {
    std::uint32_t pid;
    std::uint64_t start_boot_ns;
    std::uint32_t above = 0;  // how many levels above a process that was asked for
  };

  // `patience` is with one read, and with memory that is short.
  explicit ProcessReader(bool redact, std::chrono::milliseconds patience = std::chrono::seconds(10),
                         const ProcessReads& reads = {});
  ~ProcessReader();  // waits for a read that is under way, but not longer than two seconds
  ProcessReader(const ProcessReader&) = delete;
  ProcessReader& operator=(const ProcessReader&) = delete;

  // Never waits for a read. False when too many are waiting already; the caller may ask again later. Its parents are
  // read with it, each once: a launcher or a shell is too small to be asked for, and tells what its children are.
  bool request(Request wanted);

  // Parents are read again with the next requests.
  void forget_parents();

  // Has /dev/shm looked at again in every mount namespace of the processes that were read; what has hardly changed is
  // not told again. Call it now and then: a thread that hangs is replaced here.
  void request_mounts();

  // What has been read since the last call.
  std::vector<OwnedProcessInfo> take();

  struct SeenMount {
    std::uint32_t pid = 0;  // that sees it
    ShmMount mount;
  };
  std::vector<SeenMount> take_mounts();

  // Reads that did not come back in time. After the last replacement nothing is read any more.
  std::uint64_t stuck() const { return stuck_; }

 private:
  struct State;
  static void run(const std::shared_ptr<State>& state, std::uint64_t generation);
  void start();
  void replace_stuck();

  const std::chrono::milliseconds patience_;
  std::shared_ptr<State> state_;  // a thread that hangs keeps it
  std::uint64_t stuck_ = 0;
  std::thread thread_;
};

}  // namespace oomtrace::capture
