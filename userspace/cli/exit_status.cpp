// SPDX-License-Identifier: Apache-2.0
// Errors to statuses and to stderr.
#include "cli/exit_status.h"

#include "base/text.h"
#include "cli/tell.h"

namespace oomtrace::cli {

namespace {

// Line breaks inside an error are ours (a verifier's words); everything else in it may be foreign.
std::string escape_lines(std::string_view text) {
  std::string safe;
  while (true) {
    const std::size_t end = text.find('\n');
    safe += escape_terminal(text.substr(0, end));
    if (end == std::string_view::npos || end + 1 == text.size()) return safe;
    safe += "\n  ";
    text.remove_prefix(end + 1);
  }
}

}  // namespace

int exit_status(Errc code) {
  switch (code) {
    case Errc::kUsage:
      return kUsageError;
    case Errc::kPermission:
      return kNotPermitted;
    case Errc::kInput:
    case Errc::kSchemaTooNew:
      return kBadInput;
    case Errc::kKernelUnsupported:
      return kKernelLacks;
    case Errc::kOutput:
      return kOutputFailed;
  }
  return kBadInput;
}

int report_error(std::string_view verb, const Error& error) {
  tell("oomtrace {}: {}\n", verb, escape_lines(error.context));
  if (!error.hint.empty()) tell("  {}\n", escape_lines(error.hint));
  return exit_status(error.code);
}

void warn(std::string_view verb, std::string_view text) {
  tell("oomtrace {}: warning: {}\n", verb, escape_lines(text));
}

}  // namespace oomtrace::cli
