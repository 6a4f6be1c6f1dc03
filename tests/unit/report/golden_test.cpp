// SPDX-License-Identifier: Apache-2.0
// Whole reports as they are read. OOMTRACE_UPDATE_GOLDEN=1 writes the files anew: read the difference before
// committing.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "report/render_json.h"
#include "report/render_text.h"
#include "unit/report/sample_reports.h"

namespace oomtrace::test {
namespace {

class Golden : public testing::TestWithParam<Sample> {};

void expect_golden(const std::string& file, const std::string& text) {
  const std::string path = std::string(OOMTRACE_TESTS_DIR) + "/unit/report/golden/" + file;
  if (std::getenv("OOMTRACE_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  std::ifstream in(path, std::ios::binary);
  ASSERT_TRUE(in) << path << " is not there";
  std::ostringstream expected;
  expected << in.rdbuf();
  EXPECT_EQ(expected.str(), text) << path;
}

TEST_P(Golden, text_is_as_recorded_at_four_widths) {
  for (const std::size_t width : {120U, 80U, 60U, 40U}) {
    TextOptions options;
    options.width = width;
    expect_golden(GetParam().name + "." + std::to_string(width) + ".txt", render_text(GetParam().report, options));
  }
}

TEST_P(Golden, json_is_as_recorded) { expect_golden(GetParam().name + ".json", render_json(GetParam().report)); }

INSTANTIATE_TEST_SUITE_P(Samples, Golden, testing::ValuesIn(samples()),
                         [](const testing::TestParamInfo<Sample>& sample) { return sample.param.name; });

}  // namespace
}  // namespace oomtrace::test
