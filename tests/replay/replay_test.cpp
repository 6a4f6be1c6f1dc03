// SPDX-License-Identifier: Apache-2.0
// Recorded traces and kernel logs in, whole reports out: compared byte for byte with tests/replay/golden.
//
// OOMTRACE_UPDATE_GOLDEN=1 writes the golden files anew; read the difference before you commit it.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>

#include "analysis/build_report.h"
#include "analysis/whatif.h"
#include "cli/input.h"
#include "cli/kernel_log_join.h"
#include "codec/json_writer.h"
#include "model/world.h"
#include "replay/replay_support.h"
#include "report/render_json.h"
#include "report/render_text.h"
#include "report/render_whatif.h"

namespace oomtrace {
namespace {

namespace fs = std::filesystem;
using replay::expect_golden;
using replay::kFolder;
using replay::report_on;

std::vector<fs::path> files_in(const char* folder, const char* extension) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(kFolder / folder))
    if (entry.path().extension() == extension) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

std::string test_name(const ::testing::TestParamInfo<fs::path>& info) {
  std::string name = info.param.stem().string();
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

class Trace : public ::testing::TestWithParam<fs::path> {};
class KernelLogFile : public ::testing::TestWithParam<fs::path> {};

TEST_P(Trace, GivesTheSameReportAsEver) {
  const std::string name = GetParam().stem().string();
  const Report report = report_on(GetParam(), GetParam().filename().string());
  expect_golden(name + ".json", render_json(report));
  expect_golden(name + ".txt", render_text(report, {100, false, false}));
}

TEST_P(Trace, GivesTheSameReportTwice) {
  const std::string first = render_json(report_on(GetParam(), "x"));
  EXPECT_EQ(first, render_json(report_on(GetParam(), "x")));
}

// What a log pipeline kept: the same lines as plain NDJSON, shuffled, some of them twice.
TEST_P(Trace, GivesTheSameIncidentsFromAShuffledStream) {
  std::vector<std::string> lines;
  std::vector<char> buffer(codec::kMaxLineBytes);
  const auto read = cli::read_inputs({GetParam().string()}, [&](const Event& event) {
    const auto size = codec::encode_line(event, buffer);
    ASSERT_TRUE(size);
    lines.emplace_back(buffer.data(), *size);
  });
  ASSERT_TRUE(read);
  ASSERT_GT(lines.size(), 10U);
  const std::size_t count = lines.size();
  for (std::size_t i = 0; i < count; i += 7) lines.push_back(lines[i]);
  std::shuffle(lines.begin(), lines.end(), std::mt19937(42));
  const fs::path path = fs::temp_directory_path() / ("oomtrace-replay-" + std::to_string(getpid()) + ".ndjson");
  {
    std::ofstream file(path);
    for (const std::string& line : lines) file << line << '\n';
  }
  Report shuffled = report_on(path, "x");
  fs::remove(path);
  Report ordered = report_on(GetParam(), "x");
  shuffled.source = ordered.source = {};
  EXPECT_EQ(render_json(ordered), render_json(shuffled));
}

TEST_P(KernelLogFile, GivesTheSameReportAsEver) {
  const std::string name = GetParam().stem().string();
  expect_golden("log-" + name + ".txt",
                render_text(report_on(GetParam(), GetParam().filename().string()), {100, false, false}));
}

// The worker that grew made immune: the next in line pays, and so on.
TEST(Damage, OfWhichNoEventIsLeftIsAnErrorAndNoProofOfPeace) {
  const std::string whole = replay::read_file(kFolder / "traces" / "quickstart.oomtrace");
  const fs::path stub = fs::path(testing::TempDir()) / "oomtrace-replay-stub.oomtrace";
  std::ofstream(stub, std::ios::binary) << whole.substr(0, 100);
  const auto read = cli::read_inputs({stub.string()}, [](const Event&) { ADD_FAILURE() << "an event"; });
  fs::remove(stub);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, Errc::kInput);
  EXPECT_NE(read.error().context.find("has no event that could be read"), std::string::npos) << read.error().context;
}

TEST(WhatIf, SaysTheSameAsEver) {
  const fs::path input = kFolder / "traces" / "quickstart.oomtrace";
  model::World world;
  const std::function<void(const Event&)> apply = [&](const Event& event) { world.apply(event); };
  cli::KernelLogJoin join(apply);
  ASSERT_TRUE(cli::read_inputs({input.string()}, [&](const Event& event) { join.take(event); }));
  join.finish();
  Report report = analysis::build_report(world, {"trace", "quickstart.oomtrace", {}});
  ASSERT_EQ(report.incidents.size(), 1U);
  const std::uint32_t victim = report.incidents[0].victims.at(0).pid;

  WhatIf change;
  change.oom_score_adj = {{victim, -1000}};
  const analysis::Context context(world);
  WhatIfResult result = analysis::what_if(context, *analysis::numbered_incidents(world).at(0).incident, change);
  EXPECT_EQ(result.other_victim, true);
  ASSERT_FALSE(result.sequence.empty());
  EXPECT_NE(result.sequence[0], victim);
  EXPECT_EQ(result.sequence[0], report.incidents[0].selection.runner_up_pid);
  const std::vector<WhatIfAnswer> answers = {{report.incidents[0], change, std::move(result)}};
  expect_golden("quickstart-immune.whatif.txt", render_whatif_text(answers, {100, false, false}));
  expect_golden("quickstart-immune.whatif.json", render_whatif_json(answers));
}

INSTANTIATE_TEST_SUITE_P(Recorded, Trace, ::testing::ValuesIn(files_in("traces", ".oomtrace")), test_name);
INSTANTIATE_TEST_SUITE_P(Recorded, KernelLogFile, ::testing::ValuesIn(files_in("kernel_logs", ".txt")), test_name);

}  // namespace
}  // namespace oomtrace
