// SPDX-License-Identifier: Apache-2.0
// Names of segments, their order, and a writer that goes on in the next one.
#include "trace/segments.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "support/temp_dir.h"
#include "trace/segment_writer.h"
#include "unit/trace/trace_support.h"

namespace oomtrace::test {
namespace {

using trace::SegmentName;

TEST(Segments, names_say_what_they_are_and_nothing_else_is_one) {
  const SegmentName name{"oomtrace-node-7-20261124T083000Z", 12, false};
  EXPECT_EQ(name.file_name(), "oomtrace-node-7-20261124T083000Z-000012.oomtrace");
  for (const bool thinned : {false, true}) {
    const SegmentName one{name.recording, 12, thinned};
    const auto parsed = SegmentName::parse(one.file_name());
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->recording, name.recording);
    EXPECT_EQ(parsed->number, 12U);
    EXPECT_EQ(parsed->thinned, thinned);
  }
  EXPECT_EQ(SegmentName::parse("oomtrace-h-20261124T083000Z-1234567.oomtrace")->number, 1234567U);
  for (const char* other : {"oomtrace-node-7-20261124T083000Z.oomtrace", "oomtrace-x-00001.oomtrace",
                            "x-000001.oomtrace", "oomtrace--000001.oomtrace", "oomtrace-h-000001.json",
                            "oomtrace-h-0000a1.oomtrace", "oomtrace-h-99999999999.oomtrace", ""})
    EXPECT_FALSE(SegmentName::parse(other)) << other;
}

TEST(Segments, oldest_come_first_whatever_the_host) {
  const TempDir directory;
  for (const char* name :
       {"oomtrace-z-20260101T000000Z-000002.oomtrace", "oomtrace-a-20260102T000000Z-000001.oomtrace",
        "oomtrace-z-20260101T000000Z-000010.oomtrace", "oomtrace-z-20260101T000000Z-000001.thin.oomtrace", "other"})
    write_bytes(directory / name, "x");
  std::filesystem::create_directory(directory / "oomtrace-z-20260101T000000Z-000003.oomtrace");
  std::filesystem::create_symlink("other", directory / "oomtrace-z-20260101T000000Z-000004.oomtrace");
  const auto files = trace::list_segments(directory.path());
  ASSERT_TRUE(files);
  std::vector<std::uint32_t> numbers;
  for (const trace::SegmentFile& file : *files) numbers.push_back(file.name.number);
  EXPECT_EQ(numbers, (std::vector<std::uint32_t>{1, 2, 10, 1}));
  EXPECT_EQ(files->back().name.recording, "oomtrace-a-20260102T000000Z");
  EXPECT_FALSE(trace::list_segments(directory / "none"));
}

TEST(SegmentWriter, each_segment_is_a_whole_file) {
  const TempDir directory;
  auto writer = std::move(*trace::SegmentWriter::create(directory.path(), "oomtrace-h-20260101T000000Z", {}));
  EXPECT_EQ(writer->number(), 1U);
  ASSERT_TRUE(writer->append(memory_line(1)));
  ASSERT_TRUE(writer->roll());
  EXPECT_EQ(writer->number(), 2U);
  EXPECT_EQ(writer->bytes(), 0U);
  ASSERT_TRUE(writer->append(memory_line(2)));
  ASSERT_TRUE(writer->close_frame());
  EXPECT_GT(writer->bytes(), 0U);
  writer.reset();
  const auto files = trace::list_segments(directory.path());
  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 2U);
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_EQ(read_trace(read_bytes((*files)[i].path)), (ReadBack{{memory_line(i + 1)}, {}, {}}));
}

TEST(SegmentWriter, segments_stay_in_the_directory_that_was_opened) {
  const TempDir directory;
  std::filesystem::create_directory(directory / "state");
  std::filesystem::create_directory(directory / "elsewhere");
  const Fd opened = *open_fd((directory / "state").c_str(), O_RDONLY | O_DIRECTORY);
  trace::WriterOptions options;
  options.directory = opened.get();
  auto writer = std::move(*trace::SegmentWriter::create(directory / "state", "oomtrace-h-20260101T000000Z", options));
  std::filesystem::rename(directory / "state", directory / "moved");
  std::filesystem::create_symlink("elsewhere", directory / "state");
  ASSERT_TRUE(writer->append("{}"));
  ASSERT_TRUE(writer->roll());
  EXPECT_TRUE(std::filesystem::is_empty(directory / "elsewhere"));
  EXPECT_TRUE(std::filesystem::exists(directory / "moved/oomtrace-h-20260101T000000Z-000002.oomtrace"));
}

TEST(SegmentWriter, old_segment_goes_on_where_there_can_be_no_new_one) {
  const TempDir directory;
  auto writer = std::move(*trace::SegmentWriter::create(directory.path(), "oomtrace-h-20260101T000000Z", {}));
  write_bytes(directory / "oomtrace-h-20260101T000000Z-000002.oomtrace", "somebody else's");
  ASSERT_TRUE(writer->append(memory_line(1)));
  const auto rolled = writer->roll();
  ASSERT_FALSE(rolled);
  EXPECT_EQ(rolled.error().sys_errno, EEXIST);
  ASSERT_TRUE(writer->append(memory_line(2)));
  ASSERT_TRUE(writer->close_frame());
  EXPECT_EQ(writer->number(), 1U);
  EXPECT_EQ(read_trace(read_bytes(directory / "oomtrace-h-20260101T000000Z-000001.oomtrace")).lines.size(), 2U);
}

}  // namespace
}  // namespace oomtrace::test
