// SPDX-License-Identifier: Apache-2.0
// Undoes what terminals, mail programs and web pages do to a line: colour, no-break spaces, entities, carriage returns.
#pragma once

#include <string>
#include <string_view>

namespace oomtrace::kernel_log {

// The line without terminal escapes, NULs and line ends, with plain blanks for Unicode ones, HTML entities resolved and
// Markdown's backslashes before punctuation removed. A view of `raw` where nothing had to change, else of `scratch`.
std::string_view clean_line(std::string_view raw, std::string& scratch);

// Resolves \xNN escapes (kmsg, syslog) and rsyslog's #NNN for control characters: for names, after parsing.
std::string unescape(std::string_view text);

}  // namespace oomtrace::kernel_log
