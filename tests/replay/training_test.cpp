// SPDX-License-Identifier: Apache-2.0
// Recordings of real PyTorch programs: what each is known to be, and what the report says of it, as a table.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "replay/replay_support.h"
#include "report/render_text.h"

namespace oomtrace {
namespace {

using replay::kFolder;

struct Row {
  std::string verdict = "-", victim = "-", driver = "-", cause = "-", rank = "-";
  double confidence = 0;

  bool same(const Row& other) const {
    return verdict == other.verdict && victim == other.victim && driver == other.driver && cause == other.cause &&
           rank == other.rank;
  }
  std::string text() const {
    return verdict + ", " + victim + " by " + driver + ", " + cause + (rank == "-" ? "" : ", rank " + rank);
  }
};

struct Case {
  std::string name;
  Row expected;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  std::ifstream file(kFolder / "training" / "expected.tsv");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream cells(line);
    Case one;
    cells >> one.name >> one.expected.verdict >> one.expected.victim >> one.expected.driver >> one.expected.cause >>
        one.expected.rank;
    all.push_back(std::move(one));
  }
  return all;
}

Report report_of(const std::string& name) {
  return replay::report_on(kFolder / "training" / (name + ".oomtrace"), name + ".oomtrace");
}

Row found_in(const Report& report) {
  Row row;
  const auto death_of = [&](auto&& matches) {
    const auto death = std::find_if(report.deaths.begin(), report.deaths.end(), matches);
    if (death == report.deaths.end()) return;
    row.verdict = death->verdict;
    row.victim = death->role.value_or("-");
    if (death->place.rank) row.rank = std::to_string(*death->place.rank);
  };
  if (!report.incidents.empty()) {
    const Incident& incident = report.incidents.front();
    if (incident.victims.empty()) return row;
    death_of([&](const Death& death) { return death.pid == incident.victims.front().pid; });
    if (incident.growth && incident.growth->driver) {
      const Driver& driver = *incident.growth->driver;
      row.driver = driver.role.value_or("-");
      if (row.rank == "-" && driver.place.rank) row.rank = std::to_string(*driver.place.rank);
    }
    row.cause = incident.cause.kind;
    row.confidence = incident.cause.confidence;
    return row;
  }
  death_of([](const Death& death) {
    return death.verdict != "exit_ok" && !death.because_of_pid && death.role != "other" && death.role != "launcher";
  });
  if (report.diagnosis.empty()) return row;
  row.cause = report.diagnosis.front().cause.kind;
  row.confidence = report.diagnosis.front().cause.confidence;
  return row;
}

TEST(TrainingTable, EachCaseIsWhatItIsKnownToBe) {
  std::size_t right = 0;
  const std::vector<Case> all = cases();
  ASSERT_GT(all.size(), 10U);
  std::printf("%-24s %-68s %-10s %s\n", "case", "expected", "confidence", "found");
  for (const Case& one : all) {
    const Row found = found_in(report_of(one.name));
    const bool same = found.same(one.expected);
    right += same ? 1 : 0;
    std::printf("%-24s %-68s %-10.2f %s\n", one.name.c_str(), one.expected.text().c_str(), found.confidence,
                same ? "the same" : found.text().c_str());
    EXPECT_TRUE(same) << one.name << ": expected " << one.expected.text() << "; found " << found.text();
    EXPECT_GE(found.confidence, 0.5) << one.name;
  }
  std::printf("%zu of %zu are what they are known to be\n", right, all.size());
}

// What everybody reads: the first lines, which have to be true and of use by themselves.
TEST(TrainingTable, TheFirstLinesOfEachReportAreTheSameAsEver) {
  std::string lines;
  for (const Case& one : cases()) {
    lines += "== " + one.name + "\n";
    std::istringstream text(render_text(report_of(one.name), {100, false, false}));
    int begun = 0;
    for (std::string line; std::getline(text, line);) {
      if (line.empty() && ++begun > 1) break;
      if (line.starts_with("What ") || line.starts_with("Where ")) break;
      if (!line.empty()) lines += line + "\n";
    }
  }
  replay::expect_golden("training-headlines.txt", lines);
}

}  // namespace
}  // namespace oomtrace
