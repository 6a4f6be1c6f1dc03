// SPDX-License-Identifier: Apache-2.0
// Writes the sample reports and some random ones as JSON into the directory given, for the check against the schema.
#include <fstream>
#include <iostream>

#include "report/render_json.h"
#include "unit/report/sample_reports.h"

int main(int argc, char** argv) {
  using namespace oomtrace;
  if (argc != 2) {
    std::cerr << "usage: write_report_samples DIR\n";
    return 2;
  }
  const std::string directory = argv[1];
  std::vector<test::Sample> all = test::samples();
  for (std::uint64_t seed = 0; seed < 60; ++seed)
    all.push_back({"random" + std::to_string(seed), test::random_report(seed)});
  for (const test::Sample& sample : all) {
    std::ofstream out(directory + "/" + sample.name + ".json", std::ios::binary);
    out << render_json(sample.report);
    if (!out.flush()) return 1;
  }
  return 0;
}
