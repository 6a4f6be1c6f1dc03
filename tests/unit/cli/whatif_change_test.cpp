// SPDX-License-Identifier: Apache-2.0
// The words of `whatif` on the command line.
#include "cli/whatif_change.h"

#include <gtest/gtest.h>

namespace oomtrace::cli {
namespace {

Result<WhatIf> limit(const std::string& word) {
  WhatIfOptions options;
  options.limit = word;
  return parse_change(options);
}

Result<WhatIf> adj(const std::string& word) {
  WhatIfOptions options;
  options.oom_score_adj = {word};
  return parse_change(options);
}

TEST(WhatIfChange, limits_are_read_as_the_kernel_reads_them) {
  EXPECT_EQ(limit("335544320")->limit_bytes, 335544320U);
  EXPECT_EQ(limit("320M")->limit_bytes, 335544320U);
  EXPECT_EQ(limit("320m")->limit_bytes, 335544320U);
  EXPECT_EQ(limit("2T")->limit_bytes, std::uint64_t{2} << 40);
  for (const char* wrong : {"0", "-1", "M", "1.5G", "1GB", "99999999999E", "18446744073709551616", "1 G"}) {
    const auto refused = limit(wrong);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.error().code, Errc::kUsage) << wrong;
  }
}

TEST(WhatIfChange, adjustments_keep_to_the_kernels_range) {
  EXPECT_EQ(adj("17=-1000")->oom_score_adj.at(0), (std::pair<std::uint32_t, std::int32_t>{17, -1000}));
  EXPECT_EQ(adj("17=1000")->oom_score_adj.at(0).second, 1000);
  for (const char* wrong : {"17", "17=", "=5", "17=1001", "17=-1001", "x=1", "17=1x", "-3=1"})
    EXPECT_FALSE(adj(wrong)) << wrong;
}

TEST(WhatIfChange, no_change_is_refused) { EXPECT_FALSE(parse_change({})); }

}  // namespace
}  // namespace oomtrace::cli
