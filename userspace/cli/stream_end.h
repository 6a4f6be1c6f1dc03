// SPDX-License-Identifier: Apache-2.0
// What the verbs that stream have in common: once it runs, at a SIGHUP and at the end.
#pragma once

#include "cli/syscall_filter.h"
#include "sink/stream.h"

namespace oomtrace::cli {

// Of a recorder with that stream, or with none (null), and of what tells a service manager.
SyscallNeeds needs_of(const sink::Stream* stream);

// Opens the stream's file anew; false where it goes to none.
bool reopen(sink::Stream& stream);

// Says on stderr what the reader was not given; true where that was nothing, or the reader had had enough (head, a
// closed pipe), which is no error.
bool tell_stream_end(const char* verb, const sink::Stream& stream);

}  // namespace oomtrace::cli
