// SPDX-License-Identifier: Apache-2.0
// The documented exit statuses and how an error is told.
#pragma once

#include <string_view>

#include "oomtrace/result.h"

namespace oomtrace::cli {

// docs/man/oomtrace.1, "EXIT STATUS".
enum ExitStatus : int {
  kDone = 0,
  kFound = 1,  // doctor found something; report --exit-code: an incident
  kUsageError = 2,
  kNotPermitted = 3,
  kBadInput = 4,
  kKernelLacks = 5,
  kOutputFailed = 6,     // output cannot be written, or the recording is incomplete
  kCannotExecute = 126,  // record -- CMD: found, but cannot be run
  kNotFound = 127,
  kSignalBase = 128,  // record -- CMD: CMD was ended by signal N
};

int exit_status(Errc code);

// "oomtrace record: open trace x: File exists" and the hint on a line of its own, on stderr.
// Returns the error's exit status.
int report_error(std::string_view verb, const Error& error);

// One line on stderr: "oomtrace record: warning: ...".
void warn(std::string_view verb, std::string_view text);

}  // namespace oomtrace::cli
