// SPDX-License-Identifier: Apache-2.0
// Masks first: quoting changes what tells a secret.
#include "cli/recorded_command.h"

#include "base/redact.h"
#include "cli/shell_quote.h"

namespace oomtrace::cli {

std::string recorded_command(const std::vector<std::string>& command, bool redact) {
  return shell_quote(redact ? redacted_arguments(command) : command);
}

}  // namespace oomtrace::cli
