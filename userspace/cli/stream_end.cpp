// SPDX-License-Identifier: Apache-2.0
// Reopening, and the last words about a stream.
#include "cli/stream_end.h"


#include "base/sys_error.h"
#include "cli/tell.h"

namespace oomtrace::cli {

bool reopen(sink::Stream& stream) {
  if (stream.target().kind != sink::TargetKind::kFile) return false;
  stream.reopen();
  return true;
}

bool tell_stream_end(const char* verb, const sink::Stream& stream) {
  const sink::StreamStatus status = stream.status();
  if (status.ended) return true;
  if (status.not_delivered > 0)
    tell("oomtrace {}: {} of {} events did not reach the stream's reader{}{}\n", verb,
               status.not_delivered, status.not_delivered + status.lines, status.last_errno != 0 ? ": " : "",
               status.last_errno != 0 ? errno_text(status.last_errno) : std::string());
  return status.not_delivered == 0 && !status.failing;
}

}  // namespace oomtrace::cli
