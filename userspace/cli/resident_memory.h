// SPDX-License-Identifier: Apache-2.0
// Memory that is there before it is needed.
#pragma once

#include "capture/host_facts.h"

namespace oomtrace::cli {

// In a cgroup at its limit where nobody may be killed the kernel repeats a page fault for ever, and no signal but
// SIGKILL ends that (mm/oom_kill.c, pagefault_out_of_memory: "Huh VM_FAULT_OOM leaked out to the #PF handler"). A
// recorder that is set up must get on without a new page.

// Before all else: what setting up takes in large blocks stays out of the heap, where it would leave room without
// pages.
void keep_heap_dense();

// Once it runs: gives the heap some room and the stack its next pages. In a cgroup with a limit the room is 4 MiB, and
// it reads the program where nobody called it yet, 1.6 MiB of code and constants that the limit could keep away.
void hold_spare_memory(const capture::HostFacts& host);

}  // namespace oomtrace::cli
