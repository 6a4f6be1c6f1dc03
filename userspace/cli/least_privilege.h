// SPDX-License-Identifier: Apache-2.0
// What the recorder may still do once its programs are attached.
#pragma once

#include <optional>
#include <string>

namespace oomtrace::cli {

struct StillNeeded {
  bool signal_child = false;  // the command runs as another user: CAP_KILL
  bool make_files = false;    // files are opened anew or in turn, for another owner: CAP_CHOWN, CAP_DAC_OVERRIDE
};

// Drops, for good (no_new_privs), every capability but those that reading needs: CAP_BPF and
// CAP_PERFMON for maps and the census, CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH for /proc/PID, CAP_IPC_LOCK for memory
// that is taken later. Of the calling thread and of those that it starts from now on: call it before there are others.
// What was refused comes back in words.
std::optional<std::string> drop_privileges(const StillNeeded& needed);

}  // namespace oomtrace::cli
