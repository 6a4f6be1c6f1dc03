// SPDX-License-Identifier: Apache-2.0
// Which kills a post-mortem is owed for, and what waits for it.
#include "cli/state_keeper.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "support/temp_dir.h"

namespace oomtrace::test {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

// In the helper: a post-mortem's job, to be read by the test.
int note_job(const std::vector<std::string>& job) {
  if (job[0] != "post-mortem") return 0;
  std::string texts;
  for (const std::string& text : job) texts += text + " ";
  if (auto file = open_fd("jobs", O_WRONLY | O_CREAT | O_APPEND, 0600)) (void)write_all(*file, texts);
  return 0;
}

class StateKeeperTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const Fd fd = *open_fd(directory.path().c_str(), O_RDONLY | O_DIRECTORY);
    cli::StateKeeper::Helpers helpers;
    for (auto* helper : {&helpers.post_mortems, &helpers.tidying}) {
      auto started = cli::HelperProcess::start(fd, {getuid(), getgid(), note_job});
      ASSERT_TRUE(started) << started.error().context;
      *helper = *std::move(started);
    }
    auto made = trace::SegmentWriter::create(directory.path(), "recording", {});
    ASSERT_TRUE(made) << made.error().context;
    segments = *std::move(made);
    keeper = std::make_unique<cli::StateKeeper>(cli::StateOptions{}, "recording", *segments, std::move(helpers));
    keeper->began_segment(0);
  }
  void kill(std::uint64_t incident, bool already_dying) {
    Event event;
    event.boot_ns = kSecond;
    OomKill kill;
    kill.decision.incident_id = incident;
    kill.already_dying = already_dying;
    event.payload = kill;
    keeper->on_event(event, {});
  }
  // Whether a segment begins as soon as it is old enough: nothing is owed that waits for what follows from a kill.
  bool rolls() {
    return keeper->each_second(
        3600 * kSecond, [this] { ++flushes; }, false);
  }
  std::string jobs() {
    keeper->finish();
    const std::string path = directory / "jobs";
    return std::filesystem::exists(path) ? read_bytes(path) : "";
  }

  const TempDir directory;
  std::unique_ptr<trace::SegmentWriter> segments;
  std::unique_ptr<cli::StateKeeper> keeper;
  int flushes = 0;
};

TEST_F(StateKeeperTest, a_kill_is_owed_one_post_mortem) {
  kill(7, false);
  kill(7, false);  // a member of its group
  EXPECT_FALSE(rolls()) << "the kill and what follows from it stay in one segment";
  EXPECT_EQ(flushes, 1);
  EXPECT_TRUE(rolls());
  EXPECT_EQ(jobs().substr(0, 16), "post-mortem 1 7 ");
  EXPECT_EQ(keeper->left_out(), 0U);
}

TEST_F(StateKeeperTest, who_was_dying_already_is_owed_none) {
  for (int i = 0; i < 300; ++i) {
    kill(0, true);
    kill(0, false);
    kill(static_cast<std::uint64_t>(i) + 1, true);
  }
  EXPECT_TRUE(rolls());
  EXPECT_EQ(flushes, 0);
  EXPECT_EQ(jobs(), "");
  EXPECT_EQ(keeper->left_out(), 0U);
}

}  // namespace
}  // namespace oomtrace::test
