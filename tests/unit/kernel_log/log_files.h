// SPDX-License-Identifier: Apache-2.0
// The project's own recorded logs.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace oomtrace::kernel_log {

inline std::filesystem::path log_folder() {
  return std::filesystem::path(OOMTRACE_TESTS_DIR) / "replay" / "kernel_logs";
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// Names of all recorded logs, sorted.
inline std::vector<std::string> log_names() {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(log_folder())) {
    if (entry.path().extension() == ".txt") names.insert(entry.path().filename().string());
  }
  EXPECT_FALSE(names.empty());
  return {names.begin(), names.end()};
}

inline std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, by);) parts.push_back(part);
  return parts;
}

}  // namespace oomtrace::kernel_log
