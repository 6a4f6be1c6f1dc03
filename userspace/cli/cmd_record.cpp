// SPDX-License-Identifier: Apache-2.0
// oomtrace record: watch until interrupted, or while CMD runs.
#include <sys/stat.h>
#include <sys/wait.h>

#include <cerrno>

#include "base/text.h"
#include "cli/child.h"
#include "cli/exit_status.h"
#include "cli/invoking_user.h"
#include "cli/record_loop.h"
#include "cli/recording.h"
#include "cli/resident_memory.h"
#include "cli/tell.h"
#include "cli/verbs.h"

namespace oomtrace::cli {

namespace {

constexpr const char* kVerb = "record";

int command_status(int wait_status) {
  if (WIFEXITED(wait_status)) return WEXITSTATUS(wait_status);
  if (WIFSIGNALED(wait_status)) return kSignalBase + WTERMSIG(wait_status);
  return kOutputFailed;
}

int cannot_run(const std::string& command, const Error& error) {
  tell("oomtrace record: {}: {}\n", escape_terminal(command), error.context);
  return error.sys_errno == ENOENT ? kNotFound : kCannotExecute;
}

int record(const RecordOptions& options, const InvokingUser& user, Child* child) {
  auto opened = Recording::open(options, user);
  if (!opened) return report_error(kVerb, opened.error());
  Recording& recording = **opened;
  if (auto started = recording.start(options, child); !started) return report_error(kVerb, started.error());
  tell("oomtrace: recording to {}{}\n", escape_terminal(recording.path()),
       child == nullptr ? " until interrupted (Ctrl-C)" : "");
  if (child != nullptr) {
    if (auto started = child->start(); !started) {
      recording.stop("error", std::nullopt);
      return cannot_run(options.command.front(), started.error());
    }
  }
  auto end = run_loop(recording.session(), child, recording.hooks());
  recording.stop(end ? end->reason : "error", end ? end->command_status : std::nullopt);
  const bool whole = recording.tell_end();
  if (!end) return report_error(kVerb, end.error());
  if (end->command_status) return command_status(*end->command_status);
  return whole ? kDone : kOutputFailed;
}

}  // namespace

int run_record(const RecordOptions& options) {
  keep_heap_dense();
  const InvokingUser user = find_invoking_user();
  block_signals();
  umask(077);
  if (options.command.empty()) return record(options, user, nullptr);
  auto child = Child::prepare(options.command, user);
  if (!child) return report_error(kVerb, child.error());
  return record(options, user, &*child);
}

}  // namespace oomtrace::cli
