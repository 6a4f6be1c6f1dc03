// SPDX-License-Identifier: Apache-2.0
// oomtrace stream without a file: events while they happen.

#include "base/text.h"
#include "cli/event_output.h"
#include "cli/exit_status.h"
#include "cli/invoking_user.h"
#include "cli/least_privilege.h"
#include "cli/record_loop.h"
#include "cli/resident_memory.h"
#include "cli/self_protection.h"
#include "cli/stream_end.h"
#include "cli/tell.h"
#include "cli/verbs.h"
#include "sink/stream.h"

namespace oomtrace::cli {

namespace {

constexpr const char* kVerb = "stream";

}  // namespace

int run_live_stream(const StreamOptions& options) {
  keep_heap_dense();
  block_signals();
  const InvokingUser user = find_invoking_user();
  sink::StreamOptions stream_options = options.stream;
  stream_options.file.owner = sink::FileOwner{user.uid, user.gid};
  auto stream = sink::Stream::open(stream_options);
  if (!stream) return report_error(kVerb, stream.error());
  EventOutput output(nullptr, {}, {stream->get()});
  capture::SessionOptions session_options;
  session_options.rungs = options.rungs;
  session_options.redact = options.redact;
  session_options.narrowed = stream_options.filter.by_process();
  auto session = capture::Session::open(std::move(session_options), output);
  if (!session) return report_error(kVerb, session.error());
  std::vector<std::string> warnings = protect_self();
  Outputs outputs;
  outputs.stream = (*stream)->target().kind;
  if (auto refused = drop_privileges(outputs)) warnings.push_back(*std::move(refused));
  for (const std::string& warning : warnings) warn(kVerb, warning);
  if (auto started = (*stream)->start(); !started) return report_error(kVerb, started.error());
  if (auto refused = refuse_syscalls(needs_of(stream->get()))) {
    warn(kVerb, *refused);
    warnings.push_back(*std::move(refused));
  }
  (*session)->start(warnings);
  hold_spare_memory((*session)->host());
  tell("oomtrace: recording to {} until interrupted (Ctrl-C)\n",
       stream_options.target == "-" ? "standard output" : escape_terminal(stream_options.target));
  LoopHooks hooks;
  hooks.finished = [&] { return (*stream)->status().ended; };
  hooks.reopen = [&] { return reopen(**stream); };
  auto end = run_loop(**session, nullptr, hooks);
  (*session)->stop(end ? end->reason : "error", std::nullopt);
  (*stream)->stop();
  if (!end) return report_error(kVerb, end.error());
  return tell_stream_end(kVerb, **stream) ? kDone : kOutputFailed;
}

}  // namespace oomtrace::cli
