// SPDX-License-Identifier: Apache-2.0
// The helper's side of HelperProcess.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.h"

namespace oomtrace::cli {

// A job is one message: its texts, each with a NUL behind it.
inline constexpr std::size_t kMaxJobBytes = std::size_t{64} << 10;

enum class HelperSays : std::uint32_t { kStarted, kDone, kKilled };  // kKilled: or to be tried again
struct HelperAnswer {
  pid_t pid = 0;  // of the process that does the job
  HelperSays what = HelperSays::kDone;
};

// Returns the job's exit status; kTryAgain: what it lacked may be there later.
inline constexpr int kTryAgain = 75;  // EX_TEMPFAIL of sysexits.h
using HelperWork = int (*)(const std::vector<std::string>& job);

// Makes the calling process the helper: in `directory`, as that user and no other group, without any capability, for
// good, and with no descriptor but 0, 1, 2 and the socket. Does one job after the other, each in a process of its own,
// without the socket and behind a seccomp filter, that is the first to be killed where memory runs out, until the
// socket's other end is closed; ends a job then.
// Signals stay as blocked as they are: what ends a recorder's group lets the helper finish.
[[noreturn]] void serve_jobs(const Fd& socket, const Fd& directory, uid_t uid, gid_t gid, HelperWork work);

}  // namespace oomtrace::cli
