// SPDX-License-Identifier: Apache-2.0
// Counts every heap allocation of the program, of all threads and of the C libraries too.
#pragma once

#include <cstdint>

namespace oomtrace::test {

// malloc, calloc, realloc and their kin since the program started. Link tests/support/allocation_counter.cpp.
std::uint64_t allocations();

}  // namespace oomtrace::test
