// SPDX-License-Identifier: Apache-2.0
// What replay tests share: an input's report, and files that hold what it should be.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "analysis/build_report.h"
#include "cli/input.h"
#include "cli/kernel_log_join.h"
#include "model/world.h"

namespace oomtrace::replay {

inline const std::filesystem::path kFolder = std::filesystem::path(OOMTRACE_TESTS_DIR) / "replay";

// `name` stands in the report in place of the path, which differs from machine to machine.
inline Report report_on(const std::filesystem::path& input, const std::string& name) {
  model::World world;
  const std::function<void(const Event&)> apply = [&](const Event& event) { world.apply(event); };
  cli::KernelLogJoin join(apply);
  const auto summary = cli::read_inputs({input.string()}, [&](const Event& event) { join.take(event); });
  EXPECT_TRUE(summary) << (summary ? "" : summary.error().context);
  join.finish();
  if (!summary) return {};
  return analysis::build_report(world, {summary->kind, name, summary->notes});
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void expect_golden(const std::string& name, const std::string& text) {
  const std::filesystem::path path = kFolder / "golden" / name;
  if (std::getenv("OOMTRACE_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  ASSERT_TRUE(std::filesystem::exists(path)) << path << ": make it with OOMTRACE_UPDATE_GOLDEN=1";
  EXPECT_EQ(read_file(path), text) << path;
}

}  // namespace oomtrace::replay
