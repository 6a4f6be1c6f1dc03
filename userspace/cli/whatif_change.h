// SPDX-License-Identifier: Apache-2.0
// The command line's words for a change, read.
#pragma once

#include "cli/verbs.h"
#include "oomtrace/result.h"
#include "oomtrace/whatif.h"

namespace oomtrace::cli {

// Error: Errc::kUsage, with the word that is wrong and how it should look.
Result<WhatIf> parse_change(const WhatIfOptions& options);

}  // namespace oomtrace::cli
