// SPDX-License-Identifier: Apache-2.0
// Damage stays where it is: whatever happens to one report's lines, the reports whose lines are whole stay as they are.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "event_collector.h"
#include "incident_text.h"
#include "log_files.h"
#include "mutate.h"

namespace oomtrace::kernel_log {
namespace {

// A log in pieces that begin where a report does; what stands before the first report is a piece of its own.
std::vector<std::string> pieces_of(const std::string& text) {
  std::vector<std::string> pieces(1);
  for (const std::string& line : split(text, '\n')) {
    if (line.find(" invoked oom-killer: gfp_mask=") != line.npos) pieces.emplace_back();
    pieces.back() += line + "\n";
  }
  return pieces;
}

// Without what is known of the host, which one report may tell for all.
std::vector<std::string> texts_of(const std::string& log) {
  std::vector<std::string> texts;
  for (const CollectedIncident& incident : collect(log).incidents) {
    std::string text = to_text(incident);
    text.erase(0, text.find("domain="));
    texts.push_back(std::move(text));
  }
  return texts;
}

// How many reports of the log were compared; 0 where its reports do not follow one another.
std::size_t damage_one_by_one(const std::filesystem::path& path, unsigned rounds) {
  const std::string text = read_file(path);
  const std::vector<std::string> pieces = pieces_of(text), whole = texts_of(text);
  if (pieces.size() < 3 || whole.size() != pieces.size() - 1) return 0;
  std::size_t compared = 0;
  for (std::size_t damaged = 1; damaged < pieces.size(); ++damaged) {
    for (unsigned seed = 0; seed < rounds; ++seed) {
      Random random(seed * 1000 + static_cast<unsigned>(damaged));
      std::string log;
      for (std::size_t i = 0; i < pieces.size(); ++i) {
        log += i == damaged ? mutate(pieces[i], random) : pieces[i];
        if (!log.empty() && log.back() != '\n') log += '\n';
      }
      const std::vector<std::string> left = texts_of(log);
      for (std::size_t i = 0; i < whole.size(); ++i) {
        if (i + 1 == damaged) continue;
        ++compared;
        EXPECT_NE(std::find(left.begin(), left.end(), whole[i]), left.end())
            << path.filename() << ": report " << i + 1 << " is not what it was after damage to report " << damaged
            << ", seed " << seed;
      }
      if (testing::Test::HasFailure()) return compared;
    }
  }
  return compared;
}

TEST(Mutations, of_one_report_leave_the_others_as_they_are) {
  const char* wanted = std::getenv("OOMTRACE_MUTATIONS");
  const unsigned rounds = wanted ? static_cast<unsigned>(std::strtoul(wanted, nullptr, 10)) : 12;
  std::size_t compared = 0;
  for (const std::string& name : log_names()) compared += damage_one_by_one(log_folder() / name, rounds);
  EXPECT_GT(compared, 20 * rounds);
  if (const char* corpus = std::getenv("OOMTRACE_CORPUS")) {
    for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
      if (entry.path().extension() == ".log") compared += damage_one_by_one(entry.path(), rounds);
    }
  } else {
    std::cout << "not run: damage to the corpus, since OOMTRACE_CORPUS is not set\n";
  }
  std::cout << compared << " whole reports beside a damaged one were compared\n";
}

}  // namespace
}  // namespace oomtrace::kernel_log
