// SPDX-License-Identifier: Apache-2.0
// Tells from the name of a flag or variable whether its value is a secret.
#pragma once

#include <string_view>

namespace oomtrace {

// name: without "=" or ":", leading dashes allowed; parts at "_", "-", "." and at aB.
bool is_secret_name(std::string_view name);

// "--no-auth", "--use-token": a switch, so what follows on the command line is not its value.
bool is_switch_name(std::string_view name);

}  // namespace oomtrace
