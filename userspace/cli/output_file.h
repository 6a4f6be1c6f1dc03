// SPDX-License-Identifier: Apache-2.0
// The file that a report goes to: it says what a trace says, and is as private.
#pragma once

#include <optional>
#include <string>

#include "base/fd.h"
#include "base/users_directory.h"
#include "oomtrace/result.h"

namespace oomtrace::cli {

// Opens `path` for writing from its start: a new file, mode 0600, of `owner` where that is given (root works for them),
// or what is there: a file, which loses what it held, a pipe, a terminal, /dev/stdout. Where anybody may make names, no
// link is followed and nothing of a stranger's is opened; root follows no link of others anywhere.
// Errors: Errc::kOutput or kPermission with errno; ENXIO: a pipe that nobody reads, which is not waited for.
Result<Fd> open_output_file(const std::string& path, const std::optional<FileOwner>& owner);

}  // namespace oomtrace::cli
