// SPDX-License-Identifier: Apache-2.0
// What the recorder may still do once its programs are attached.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sink/target.h"

namespace oomtrace::cli {

// What goes on making files or sending signals once the programs are attached; the trace's own file is open by then.
struct Outputs {
  bool command = false;                    // it runs as another user
  bool state_directory = false;            // segments, for their owner
  bool metrics_textfile = false;           // written anew each time, root's own
  std::optional<sink::TargetKind> stream;  // a file is opened anew, for its owner; a socket may be another user's
};

// capabilities(7) that are kept for them, by their numbers.
std::vector<int> kept_capabilities(const Outputs& outputs);

// Drops, for good (no_new_privs), every capability but kept_capabilities() and those that reading needs: CAP_BPF and
// CAP_PERFMON for maps and the census, CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH for /proc/PID, CAP_IPC_LOCK for memory
// that is taken later. Of the calling thread and of those that it starts from now on: call it before there are others.
// What was refused comes back in words.
std::optional<std::string> drop_privileges(const Outputs& outputs);

}  // namespace oomtrace::cli
