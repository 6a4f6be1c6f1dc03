// SPDX-License-Identifier: Apache-2.0
// Page sizes as an input tells them.
#pragma once

#include <bit>
#include <cstdint>

namespace oomtrace {

// `bytes` where an architecture could have it, else 0 (not known): a power of two from 1 KiB to 1 MiB (Linux has 4 to
// 256 KiB, arch/*/Kconfig, PAGE_SHIFT). Quotients by it are defined then, and products of sane counts within 64 bits.
constexpr std::uint32_t sane_page_size(std::uint64_t bytes) {
  const bool sane = std::has_single_bit(bytes) && bytes >= 1024 && bytes <= 1024 * 1024;
  return sane ? static_cast<std::uint32_t>(bytes) : 0;
}

}  // namespace oomtrace
