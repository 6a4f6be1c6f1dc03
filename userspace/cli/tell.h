// SPDX-License-Identifier: Apache-2.0
// Words on standard error that nobody may be there to take: that is no error, and ends nothing.
#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>
#include <utility>

namespace oomtrace::cli {

// Waits for a terminal that is stopped or a pipe that is full, but not for long; what cannot be written is dropped.
void tell_text(std::string_view text) noexcept;

template <class... Values>
void tell(fmt::format_string<Values...> format, Values&&... values) {
  tell_text(fmt::format(format, std::forward<Values>(values)...));
}

}  // namespace oomtrace::cli
