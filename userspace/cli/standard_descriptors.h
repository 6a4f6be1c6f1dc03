// SPDX-License-Identifier: Apache-2.0
// Descriptors 0, 1 and 2, which whoever started this may have closed.
#pragma once

namespace oomtrace::cli {

// Puts /dev/null in the place of those that are closed: a file or socket that is opened later would get the number, and
// words meant for a terminal would stand in a trace. Reading 0 then ends at once, writing to 1 fails as it did, what
// goes to 2 is lost. The first thing to do. False where /dev/null cannot be opened.
bool hold_standard_descriptors() noexcept;

}  // namespace oomtrace::cli
