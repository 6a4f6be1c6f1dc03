// SPDX-License-Identifier: Apache-2.0
// Memory that is there before it is needed, by the page faults that it saves.
#include "cli/resident_memory.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <memory>
#include <vector>

namespace oomtrace::test {
namespace {

long page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

// Faults of taking 150 KB in small blocks.
long faults_of_small_blocks() {
  std::vector<std::unique_ptr<char[]>> blocks(150);
  const long before = page_faults();
  for (auto& block : blocks) block = std::make_unique<char[]>(1000);
  return page_faults() - before;
}

TEST(ResidentMemory, small_blocks_need_no_new_page) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer has a heap of its own";
#endif
  cli::keep_heap_dense();
  cli::hold_spare_memory({});
  EXPECT_LE(faults_of_small_blocks(), 4);
}

}  // namespace
}  // namespace oomtrace::test
