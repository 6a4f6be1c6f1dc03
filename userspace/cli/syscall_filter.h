// SPDX-License-Identifier: Apache-2.0
// seccomp(2): what a process of ours may no longer ask of the kernel once it has all it needs.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace oomtrace::cli {

// What is refused unless it is asked for here.
struct SyscallNeeds {
  bool read_maps = false;     // bpf(2): maps and iterators that are open; never programs
  bool make_files = false;    // opens files for writing, renames and removes them
  bool make_sockets = false;  // of the Unix family
  pid_t signal_pid = 0;       // may be sent signals; 0: nobody
};

// Refuses for good, in all threads, what neither recorder nor report needs: other programs and processes, the calls
// into other processes (not their files in /proc: a filter sees no paths), new BPF programs and perf events, modules,
// mounts, namespaces, other users, the clock, io_uring, memory to execute. All else stays allowed: docs/security.md
// says why. Refused calls fail with EPERM; clone3(2), whose flags a filter cannot see, and openat2(2) with ENOSYS.
// no_new_privs must be set. What the kernel refuses of this comes back in words.
std::optional<std::string> refuse_syscalls(const SyscallNeeds& needs);

}  // namespace oomtrace::cli
