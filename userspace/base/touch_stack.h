// SPDX-License-Identifier: Apache-2.0
// A stack that needs no page when memory has run out.
#pragma once

#include <cstddef>

namespace oomtrace {

// Makes the next 32 KiB of the caller's stack resident.
[[gnu::noinline]] inline void touch_stack() {
  constexpr std::size_t kBytes = std::size_t{32} << 10;
  constexpr std::size_t kSmallestPage = 4096;
  [[maybe_unused]] volatile char stack[kBytes];
  for (std::size_t at = 0; at < kBytes; at += kSmallestPage) stack[at] = 0;
}

}  // namespace oomtrace
