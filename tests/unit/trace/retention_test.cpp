// SPDX-License-Identifier: Apache-2.0
// Thinning and removing: what stays, what goes, in which order.
#include "trace/retention.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>

#include "codec/json_reader.h"
#include "codec/json_writer.h"
#include "support/event_builder.h"
#include "support/temp_dir.h"
#include "trace/reader.h"
#include "trace/segments.h"
#include "trace/summary.h"
#include "trace/thin.h"
#include "trace/writer.h"

namespace oomtrace::test {
namespace {

constexpr std::int64_t kHour = 3600LL * 1'000'000'000;
constexpr std::int64_t kNow = 1000 * kHour;

// A trace whose process grows for an hour, with a kill half-way where asked for.
void write_trace(const std::string& path, bool kill) {
  auto writer = std::move(*trace::Writer::create(path));
  std::array<char, codec::kMaxLineBytes> line{};
  EventStream events([&](const Event& event) {
    const auto size = codec::encode_line(event, line);
    ASSERT_TRUE(size);
    ASSERT_TRUE(writer->append({line.data(), *size}));
  });
  events.set_trace("0123456789abcdef0123456789abcdef");
  events.at(1).start();
  for (int second = 2; second < 3600; ++second) {
    events.at(second).memory(ref(10, "python3"), mib(second));
    events.memory(ref(11, "other"), mib(5));
    events.emit(SystemMemory{});
    if (second % 600 == 0) events.fork(ref(10, "python3"), ref(100 + static_cast<std::uint32_t>(second), "x"));
    if (kill && second == 1800) {
      OomKill died;
      died.decision.incident_id = 4;
      died.decision.domain = DomainKind::kMemcg;
      died.decision.cgroup = {7, "/job"};
      died.victim = ref(10, "python3");
      events.emit(died);
    }
  }
}

struct Counts {
  std::size_t near = 0, far = 0, forks = 0, kills = 0;
};
Counts count(const std::string& path) {
  Counts counts;
  auto reader = std::move(*trace::Reader::open(path));
  codec::LineDecoder decoder;
  for (auto line = reader->next_line(); line && *line; line = reader->next_line()) {
    const auto event = decoder.decode(**line);
    if (!event || !*event) continue;
    const bool near = (*event)->boot_ns >= seconds(1680) && (*event)->boot_ns <= seconds(1810);
    if (std::holds_alternative<ProcessMemory>((*event)->payload)) ++(near ? counts.near : counts.far);
    if (std::holds_alternative<ProcessFork>((*event)->payload)) ++counts.forks;
    if (std::holds_alternative<OomKill>((*event)->payload)) ++counts.kills;
  }
  return counts;
}

void set_age(const std::string& path, std::int64_t age_ns) {
  const std::int64_t at = kNow - age_ns;
  const timespec times[2] = {{at / 1'000'000'000, 0}, {at / 1'000'000'000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

std::string segment(std::uint32_t number, bool thinned = false) {
  return trace::SegmentName{"oomtrace-h-20260101T000000Z", number, thinned}.file_name();
}

// Segments with a kill in each, three, two and one hour old; gives the size of one.
std::uint64_t write_three(const TempDir& directory) {
  for (std::uint32_t number = 1; number <= 3; ++number) {
    write_trace(directory / segment(number), true);
    set_age(directory / segment(number), (4 - number) * kHour);
  }
  return std::filesystem::file_size(directory / segment(1));
}

trace::RetentionOptions options_now(const std::string& keep = {}) {
  trace::RetentionOptions options;
  options.now_ns = kNow;
  options.keep = keep;
  return options;
}

TEST(ThinTrace, keeps_the_time_around_kills_whole_and_one_figure_a_minute_elsewhere) {
  const TempDir directory;
  write_trace(directory / "t", true);
  const auto thinned = trace::thin_trace(directory / "t", directory / "thin");
  ASSERT_TRUE(thinned) << thinned.error().context;
  const Counts whole = count(directory / "t"), left = count(directory / "thin");
  EXPECT_EQ(left.near, whole.near);
  EXPECT_EQ(left.forks, whole.forks);
  EXPECT_EQ(left.kills, 1U);
  EXPECT_LT(left.far, whole.far / 50);
  EXPECT_GT(left.far, whole.far / 70);
  EXPECT_LT(std::filesystem::file_size(directory / "thin"), std::filesystem::file_size(directory / "t") / 3);
  EXPECT_EQ(thinned->bytes, std::filesystem::file_size(directory / "thin"));
}

TEST(ThinTrace, unreadable_input_leaves_no_output) {
  const TempDir directory;
  write_bytes(directory / "t", "no trace");
  EXPECT_FALSE(trace::thin_trace(directory / "t", directory / "thin"));
  EXPECT_FALSE(std::filesystem::exists(directory / "thin"));
  EXPECT_FALSE(trace::thin_trace(directory / "none", directory / "thin"));
}

TEST(ThinTrace, without_time_nothing_is_left_behind) {
  const TempDir directory;
  write_trace(directory / "t", true);
  trace::ThinOptions options;
  options.until = std::chrono::steady_clock::now();
  EXPECT_FALSE(trace::thin_trace(directory / "t", directory / "thin", options));
  EXPECT_FALSE(std::filesystem::exists(directory / "thin"));
  EXPECT_TRUE(std::filesystem::exists(directory / "t"));
}

TEST(Summary, tells_span_and_kills) {
  const TempDir directory;
  write_trace(directory / "t", true);
  const auto summary = trace::summarize(directory / "t");
  ASSERT_TRUE(summary);
  ASSERT_EQ(summary->kills.size(), 1U);
  EXPECT_EQ(summary->kills[0].incident_id, 4U);
  EXPECT_EQ(summary->kills[0].comm, "python3");
  EXPECT_EQ(summary->kills[0].domain, "memcg");
  EXPECT_EQ(summary->kills[0].cgroup, "/job");
  EXPECT_EQ(summary->from_wall_ns, kWallOffset + static_cast<std::int64_t>(seconds(1)));
  EXPECT_EQ(summary->to_wall_ns, kWallOffset + static_cast<std::int64_t>(seconds(3599)));
  EXPECT_EQ(summary->host, "trainer-7");
}

TEST(Retention, old_segments_are_thinned_the_oldest_removed_and_the_present_one_left_alone) {
  const TempDir directory;
  for (std::uint32_t number = 1; number <= 4; ++number) write_trace(directory / segment(number), number == 2);
  set_age(directory / segment(1), 200 * kHour);
  set_age(directory / segment(2), 30 * kHour);
  set_age(directory / segment(3), 2 * kHour);
  set_age(directory / segment(4), 300 * kHour);  // a clock that jumped must not cost the present one
  for (const char* name : {"incident-20260101T000000Z-1.json", "incident-20260101T000000Z-1.txt"}) {
    write_bytes(directory / name, "old");
    set_age(directory / name, 200 * kHour);
  }
  write_bytes(directory / "incident-20260109T000000Z-2.txt", "new");
  set_age(directory / "incident-20260109T000000Z-2.txt", 30 * kHour);
  write_bytes(directory / "notes.txt", "not ours");
  set_age(directory / "notes.txt", 500 * kHour);

  const trace::RetentionOptions options = options_now(directory / segment(4));
  const auto result = trace::keep_within(directory.path(), options);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->removed.size(), 3U);
  EXPECT_EQ(result->thinned, std::vector<std::string>{directory / segment(2, true)});
  EXPECT_FALSE(std::filesystem::exists(directory / segment(1)));
  EXPECT_FALSE(std::filesystem::exists(directory / segment(2)));
  EXPECT_TRUE(std::filesystem::exists(directory / segment(3)));
  EXPECT_TRUE(std::filesystem::exists(directory / segment(4)));
  EXPECT_TRUE(std::filesystem::exists(directory / "incident-20260109T000000Z-2.txt"));
  EXPECT_TRUE(std::filesystem::exists(directory / "notes.txt"));
  EXPECT_EQ(count(directory / segment(2, true)).kills, 1U);
  // Its age is still that of what it tells: a second run finds nothing to do.
  const auto again = trace::keep_within(directory.path(), options);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->removed.empty());
  EXPECT_TRUE(again->thinned.empty());
}

// A helper that was busy gets to it when the recording is two segments further.
TEST(Retention, a_late_request_touches_nothing_that_came_after_it) {
  for (const bool thinned_since : {false, true}) {
    const TempDir directory;
    for (const std::uint32_t number : {1U, 3U, 4U}) write_trace(directory / segment(number), false);
    write_trace(directory / segment(2, thinned_since), false);
    trace::RetentionOptions options = options_now(directory / segment(2));
    options.max_bytes = 1;
    const auto result = trace::keep_within(directory.path(), options);
    ASSERT_TRUE(result);
    EXPECT_FALSE(std::filesystem::exists(directory / segment(1)));
    EXPECT_FALSE(std::filesystem::exists(directory / segment(1, true)));
    for (const std::uint32_t number : {3U, 4U}) EXPECT_TRUE(std::filesystem::exists(directory / segment(number)));
  }
}

TEST(Retention, too_much_is_thinned_before_anything_is_removed) {
  const TempDir directory;
  const std::uint64_t one = write_three(directory);
  trace::RetentionOptions options = options_now(directory / segment(3));
  options.max_bytes = 2 * one + one / 2;
  auto result = trace::keep_within(directory.path(), options);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->thinned, std::vector<std::string>{directory / segment(1, true)});
  EXPECT_TRUE(result->removed.empty());
  EXPECT_LE(result->bytes, options.max_bytes);

  options.max_bytes = one;  // only the present one has room
  result = trace::keep_within(directory.path(), options);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->removed, (std::vector<std::string>{directory / segment(1, true), directory / segment(2)}))
      << "far beyond: at once";
  EXPECT_EQ(result->bytes, one);
}

TEST(Retention, far_beyond_the_limit_the_oldest_go_at_once) {
  const TempDir directory;
  const std::uint64_t one = write_three(directory);
  trace::RetentionOptions options = options_now(directory / segment(3));
  options.max_bytes = 2 * one + 1;
  const auto result = trace::keep_within(directory.path(), options);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->thinned.empty());
  EXPECT_EQ(result->removed, std::vector<std::string>{directory / segment(1)});
}

TEST(Retention, where_there_is_no_time_to_thin_the_oldest_go) {
  const TempDir directory;
  const std::uint64_t one = write_three(directory);
  trace::RetentionOptions options = options_now(directory / segment(3));
  options.max_bytes = 2 * one + one / 2;
  options.thin_for = std::chrono::nanoseconds(0);
  const auto result = trace::keep_within(directory.path(), options);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->thinned.empty());
  EXPECT_EQ(result->removed, std::vector<std::string>{directory / segment(1)});
  EXPECT_LE(result->bytes, options.max_bytes);
}

TEST(Retention, post_mortems_do_not_push_the_recording_out) {
  const TempDir directory;
  write_bytes(directory / segment(1), std::string(600, 'x'));
  write_bytes(directory / segment(2), std::string(100, 'x'));
  for (int i = 0; i < 8; ++i) {
    const std::string name = directory / ("incident-20260101T00000" + std::to_string(i) + "Z-1.txt");
    write_bytes(name, std::string(100, 'x'));
    set_age(name, (9 - i) * kHour);
  }
  for (std::uint32_t number : {1, 2}) set_age(directory / segment(number), kHour);
  trace::RetentionOptions options = options_now(directory / segment(2));
  options.max_bytes = 1000;
  const auto result = trace::keep_within(directory.path(), options);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->removed.size(), 6U);
  EXPECT_EQ(result->bytes, 900U);
  EXPECT_TRUE(std::filesystem::exists(directory / segment(1)));
  EXPECT_FALSE(std::filesystem::exists(directory / "incident-20260101T000005Z-1.txt"));
  EXPECT_TRUE(std::filesystem::exists(directory / "incident-20260101T000006Z-1.txt"));
}

TEST(Retention, the_oldest_go_where_the_file_system_has_no_room) {
  const TempDir directory;
  for (std::uint32_t number : {1, 2, 3}) {
    write_bytes(directory / segment(number), std::string(1000, 'x'));
    set_age(directory / segment(number), kHour);
  }
  trace::RetentionOptions options = options_now(directory / segment(3));
  options.reserve_bytes = UINT64_MAX;  // no file system has that
  const auto result = trace::keep_within(directory.path(), options);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->removed, (std::vector<std::string>{directory / segment(1), directory / segment(2)}));
  EXPECT_EQ(result->bytes, 1000U);
}

TEST(Retention, what_cannot_be_thinned_is_removed_only_when_it_has_to_go) {
  const TempDir directory;
  write_bytes(directory / segment(1), std::string(1000, 'x'));
  set_age(directory / segment(1), 48 * kHour);
  trace::RetentionOptions options = options_now();
  auto result = trace::keep_within(directory.path(), options);
  ASSERT_TRUE(result);
  EXPECT_TRUE(std::filesystem::exists(directory / segment(1)));
  options.max_bytes = 10;
  result = trace::keep_within(directory.path(), options);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->removed.size(), 1U);
  EXPECT_FALSE(trace::keep_within(directory / "none", options));
}

}  // namespace
}  // namespace oomtrace::test
