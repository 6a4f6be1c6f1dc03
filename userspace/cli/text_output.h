// SPDX-License-Identifier: Apache-2.0
// What the verbs that print for people share: how the terminal wants it, and where it goes.
#pragma once

#include <string>

#include "oomtrace/result.h"
#include "report/render_text.h"

namespace oomtrace::cli {

// `color`: "auto", "always" or "never". What goes to a file or a pipe is plain and 100 columns wide.
TextOptions text_options(const std::string& color, bool to_stdout);

// Writes `text` to the file as open_output_file() opens it for the user who called, or to standard output where `path`
// is empty. Errors: those of open_output_file(), Errc::kOutput.
Result<void> write_output(const std::string& path, const std::string& text);

}  // namespace oomtrace::cli
