// SPDX-License-Identifier: Apache-2.0
// Masks likely secrets in command lines before anything stores or shows them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace oomtrace {

// What stands in a secret's place (fewer stars for a shorter one).
inline constexpr std::string_view kSecretMask = "***";

// Masks in place and returns the new length, never more than before; allocates nothing, takes time linear in the text.
// Text with NULs is one argument per NUL, as in /proc/PID/cmdline (the NULs stay); else blanks part the arguments.
// Masked are the values of flags, variables, headers, JSON members and URL parameters whose names speak of a secret,
// passwords in URLs, and tokens of well-known shapes wherever they stand. It errs to the safe side, except for names
// known to be harmless in training programs (--pad_token, --max_tokens, TOKENIZERS_PARALLELISM).
std::size_t redact_command_line(std::span<char> inout);

std::string redacted_command_line(std::string_view command_line);

}  // namespace oomtrace
