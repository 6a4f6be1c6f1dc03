// SPDX-License-Identifier: Apache-2.0
// Which segments `report` takes where no file is named.
#include "cli/last_recording.h"

#include <gtest/gtest.h>

#include <array>

#include "codec/json_writer.h"
#include "support/event_builder.h"
#include "support/temp_dir.h"
#include "trace/segments.h"
#include "trace/writer.h"

namespace oomtrace::test {
namespace {

class LastRecordingTest : public ::testing::Test {
 protected:
  std::string segment(const char* day, std::uint32_t number, bool kill) {
    const std::string path =
        directory / trace::SegmentName{std::string("oomtrace-h-") + day + "T000000Z", number, false}.file_name();
    auto writer = std::move(*trace::Writer::create(path));
    std::array<char, codec::kMaxLineBytes> line{};
    EventStream events([&](const Event& event) {
      const auto size = codec::encode_line(event, line);
      ASSERT_TRUE(size);
      ASSERT_TRUE(writer->append({line.data(), *size}));
    });
    events.at(1).start();
    OomKill died;
    died.victim = ref(10, "python3");
    if (kill) events.at(2).emit(died);
    return path;
  }

  using Paths = std::vector<std::string>;
  const TempDir directory;
};

TEST_F(LastRecordingTest, the_last_kill_with_what_came_before_and_after) {
  const std::string one = segment("20260101", 1, true), two = segment("20260101", 2, false),
                    three = segment("20260101", 3, true), four = segment("20260101", 4, false);
  EXPECT_EQ(cli::segments_of_last_kill(four), (Paths{two, three, four}));
}

TEST_F(LastRecordingTest, a_kill_before_a_restart_is_found) {
  const std::string one = segment("20260101", 1, true), two = segment("20260101", 2, false),
                    later = segment("20260102", 1, false);
  EXPECT_EQ(cli::segments_of_last_kill(later), (Paths{one, two}));
}

TEST_F(LastRecordingTest, without_a_kill_the_newest_alone) {
  segment("20260101", 1, false);
  const std::string two = segment("20260101", 2, false);
  EXPECT_EQ(cli::segments_of_last_kill(two), Paths{two});
}

TEST_F(LastRecordingTest, what_is_no_segment_stands_for_itself) {
  segment("20260101", 1, true);
  const std::string other = directory / "trace.oomtrace";
  EXPECT_EQ(cli::segments_of_last_kill(other), Paths{other});
  EXPECT_EQ(cli::segments_of_last_kill("trace.oomtrace"), Paths{"trace.oomtrace"});
}

}  // namespace
}  // namespace oomtrace::test
