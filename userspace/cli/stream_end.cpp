// SPDX-License-Identifier: Apache-2.0
// What its target takes, reopening, and the last words about a stream.
#include "cli/stream_end.h"

#include "base/sys_error.h"
#include "cli/service_notify.h"
#include "cli/tell.h"

namespace oomtrace::cli {

SyscallNeeds needs_of(const sink::Stream* stream) {
  SyscallNeeds needs;
  needs.read_maps = true;
  needs.make_sockets = is_notified();
  if (stream == nullptr) return needs;
  const sink::TargetKind kind = stream->target().kind;
  needs.make_files = kind == sink::TargetKind::kFile;
  needs.make_sockets = needs.make_sockets || kind == sink::TargetKind::kSocket || kind == sink::TargetKind::kJournal;
  return needs;
}

bool reopen(sink::Stream& stream) {
  if (stream.target().kind != sink::TargetKind::kFile) return false;
  stream.reopen();
  return true;
}

bool tell_stream_end(const char* verb, const sink::Stream& stream) {
  const sink::StreamStatus status = stream.status();
  if (status.ended) return true;
  if (status.not_delivered > 0)
    tell("oomtrace {}: {} of {} events did not reach the stream's reader{}{}\n", verb, status.not_delivered,
         status.not_delivered + status.lines, status.last_errno != 0 ? ": " : "",
         status.last_errno != 0 ? errno_text(status.last_errno) : std::string());
  return status.not_delivered == 0 && !status.failing;
}

}  // namespace oomtrace::cli
