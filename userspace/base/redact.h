// SPDX-License-Identifier: Apache-2.0
// Masks likely secrets in command lines before anything stores or shows them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace oomtrace {

// What stands in a secret's place (fewer stars for a shorter one).
inline constexpr std::string_view kSecretMask = "***";

// Masks in place and returns the new length, never more than before; allocates nothing, takes time linear in the text.
// Text with NULs is one argument per NUL, as in /proc/PID/cmdline (the NULs stay); else blanks part the arguments.
// Masked are the values of flags, variables, headers, JSON members and URL parameters whose names speak of a secret,
// passwords and signatures in URLs, tokens of well-known shapes wherever they stand, and what a few programs take as a
// secret by its place alone (secret_argument.h). It errs to the safe side, except for names
// known to be harmless in training programs (--pad_token, --max_tokens, TOKENIZERS_PARALLELISM).
std::size_t redact_command_line(std::span<char> inout);

std::string redacted_command_line(std::string_view command_line);

// The same of arguments that are still apart: what tells a secret may be the argument in front of it.
std::vector<std::string> redacted_arguments(const std::vector<std::string>& arguments);

}  // namespace oomtrace
