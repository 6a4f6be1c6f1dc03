// SPDX-License-Identifier: Apache-2.0
// In which order `list` names the recordings of machines whose clock was set.
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/verbs.h"
#include "codec/json_writer.h"
#include "support/event_builder.h"
#include "support/temp_dir.h"
#include "trace/writer.h"

namespace oomtrace::test {
namespace {

constexpr std::int64_t kHour = 3600LL * 1'000'000'000;
constexpr std::int64_t kLongAgo = kWallOffset - 20LL * 365 * 24 * kHour;  // before any file of this test

class ListTest : public ::testing::Test {
 protected:
  // From `from_s` to `from_s` + 10 of its boot.
  void recording(const std::string& name, const char* boot_id, double from_s, std::int64_t wall_offset_ns) {
    auto writer = std::move(*trace::Writer::create(directory / (name + ".oomtrace")));
    std::array<char, codec::kMaxLineBytes> line{};
    EventStream events([&](const Event& event) {
      const auto size = codec::encode_line(event, line);
      ASSERT_TRUE(size);
      ASSERT_TRUE(writer->append({line.data(), *size}));
    });
    events.set_trace(name, boot_id);
    events.set_machine(wall_offset_ns);
    events.at(from_s).start();
    events.at(from_s + 10).emit(TraceStop{"signal", {}});
  }

  std::vector<std::string> listed() const {
    cli::ListOptions options;
    options.directory = directory.path();
    options.format = "json";
    testing::internal::CaptureStdout();
    EXPECT_EQ(cli::run_list(options), 0);
    const auto list = nlohmann::json::parse(testing::internal::GetCapturedStdout());
    std::vector<std::string> names;
    for (const auto& one : list.at("recordings")) names.push_back(one.at("file"));
    return names;
  }

  const TempDir directory;
};

TEST_F(ListTest, one_boot_is_in_order_though_its_clock_was_set_back) {
  recording("b", "boot-1", 10, kLongAgo);
  recording("a", "boot-1", 30, kLongAgo - 6 * kHour);
  recording("c", "boot-1", 50, kLongAgo - 5 * kHour);
  EXPECT_EQ(listed(), (std::vector<std::string>{"b.oomtrace", "a.oomtrace", "c.oomtrace"}));
}

TEST_F(ListTest, boots_are_in_order_though_all_count_from_zero) {
  recording("a", "boot-2", 10, kLongAgo + kHour);
  recording("b", "boot-1", 10, kLongAgo);
  EXPECT_EQ(listed(), (std::vector<std::string>{"b.oomtrace", "a.oomtrace"}));
}

TEST_F(ListTest, what_cannot_be_read_has_its_place_by_the_files_change) {
  recording("b", "boot-1", 10, kLongAgo);
  write_bytes(directory / "a.oomtrace", "no trace");
  EXPECT_EQ(listed(), (std::vector<std::string>{"b.oomtrace", "a.oomtrace"}));
}

}  // namespace
}  // namespace oomtrace::test
