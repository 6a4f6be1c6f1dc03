// SPDX-License-Identifier: Apache-2.0
// What holds for every report: it fits, it is harmless, it is the same each time.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <span>
#include <sstream>

#include "base/text.h"
#include "report/render_json.h"
#include "report/render_text.h"
#include "unit/report/sample_reports.h"

namespace oomtrace::test {
namespace {

constexpr std::uint64_t kReports = 150;

// Without the renderer's own two colours; any other escape sequence stays and is found.
std::string without_color(std::string text) {
  for (const char* sequence : {"\x1b[1m", "\x1b[31m", "\x1b[0m"}) {
    for (std::size_t at = text.find(sequence); at != std::string::npos; at = text.find(sequence, at))
      text.erase(at, std::string(sequence).size());
  }
  return text;
}

void expect_fits(const std::string& text, std::size_t width, const std::string& what) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(display_width(line), width) << what << ": " << line;
    EXPECT_EQ(escape_terminal(line), line) << what;
    EXPECT_TRUE(line.empty() || line.back() != ' ') << what << ": " << line;
  }
}

constexpr std::size_t kWidths[] = {40, 41, 57, 80, 120, 300};

void expect_holds(const Report& report, std::span<const std::size_t> widths, const std::string& what) {
  for (const std::size_t width : widths) {
    TextOptions options;
    options.width = width;
    const std::string plain = render_text(report, options);
    expect_fits(plain, width, what);
    EXPECT_EQ(plain, render_text(report, options)) << what;
    EXPECT_EQ(plain.find("\n\n\n"), std::string::npos) << what;

    options.color = true;
    EXPECT_EQ(without_color(render_text(report, options)), plain) << what;

    options.color = false;
    options.unicode = false;
    const std::string ascii = render_text(report, options);
    expect_fits(ascii, width, what);
    for (const char byte : ascii) ASSERT_LT(static_cast<unsigned char>(byte), 0x80) << what;
  }
}

TEST(WidthProperty, random_reports_fit_and_are_harmless) {
  for (std::uint64_t seed = 0; seed < kReports; ++seed)
    expect_holds(random_report(seed), std::span(kWidths).subspan(seed % std::size(kWidths), 1),
                 "seed " + std::to_string(seed));
}

TEST(WidthProperty, samples_fit_and_are_harmless) {
  for (const Sample& sample : samples()) expect_holds(sample.report, kWidths, sample.name);
}

TEST(WidthProperty, a_width_of_nothing_counts_as_the_smallest) {
  TextOptions options;
  options.width = 0;
  expect_fits(render_text(hostile_report(), options), kMinTextWidth, "width 0");
}

TEST(JsonProperty, random_reports_are_valid_and_harmless_json) {
  for (std::uint64_t seed = 0; seed < kReports; ++seed) {
    const std::string text = render_json(random_report(seed));
    EXPECT_TRUE(nlohmann::json::accept(text)) << "seed " << seed;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) ASSERT_EQ(escape_terminal(line), line) << "seed " << seed;
    EXPECT_EQ(text, render_json(random_report(seed)));
  }
}

}  // namespace
}  // namespace oomtrace::test
