// SPDX-License-Identifier: Apache-2.0
// Plain event lines, as pipelines and editors leave them.
#include "trace/ndjson_source.h"

#include <gtest/gtest.h>

#include "trace/limits.h"
#include "unit/trace/trace_support.h"

namespace oomtrace::test {
namespace {

using Lines = std::vector<std::string>;

TEST(NdjsonSource, line_ends_blanks_and_byte_order_mark_are_tolerated) {
  const ReadBack back = read_ndjson("\xEF\xBB\xBF{\"a\":1}\r\n\r\n\n  {\"b\":2}\n{\"c\":3}");
  EXPECT_EQ(back.lines, (Lines{"{\"a\":1}", "{\"b\":2}", "{\"c\":3}"}));
  EXPECT_TRUE(back.notes.empty());
}

TEST(NdjsonSource, cut_last_line_is_noted_at_every_byte) {
  const std::string line = memory_line(2);
  for (std::size_t cut = 1; cut < line.size(); ++cut) {
    const ReadBack back = read_ndjson(memory_line(1) + "\n" + line.substr(0, cut));
    if (line[cut - 1] == '}') {  // looks closed: the decoder will tell
      EXPECT_EQ(back.lines.size(), 2U);
      continue;
    }
    EXPECT_EQ(back.lines, Lines{memory_line(1)});
    EXPECT_EQ(back.notes,
              Lines{"the last line is cut: " + std::to_string(cut) + (cut == 1 ? " byte" : " bytes") + " ignored"});
  }
}

TEST(NdjsonSource, line_beyond_the_maximum_is_left_out_with_its_number) {
  const std::string just(trace::kMaxLineBytes - 1, 'x');
  EXPECT_EQ(read_ndjson("a\n" + just + "\nb\n").lines, (Lines{"a", just, "b"}));
  const ReadBack back = read_ndjson("a\n" + just + "x\nb\n" + just + just + "\nc\n");
  EXPECT_EQ(back.lines, (Lines{"a", "b", "c"}));
  ASSERT_EQ(back.notes.size(), 2U);
  EXPECT_EQ(back.notes[0].rfind("line 2 left out", 0), 0U) << back.notes[0];
  EXPECT_EQ(back.notes[1].rfind("line 4 left out", 0), 0U) << back.notes[1];
}

TEST(NdjsonSource, endless_line_is_an_error) {
  const ReadBack back = read_ndjson("{}\n" + std::string(trace::kMaxFrameBytes + trace::kMaxLineBytes + 1, 'x'));
  EXPECT_EQ(back.lines, Lines{"{}"});
  EXPECT_NE(back.error.find("line 2"), std::string::npos) << back.error;
}

TEST(NdjsonSource, many_lines_over_buffer_borders_come_back) {
  std::string bytes;
  Lines lines = memory_lines(1, 5000);
  for (const std::string& line : lines) bytes += line + "\n";
  EXPECT_EQ(read_ndjson(bytes).lines, lines);
}

TEST(NdjsonSource, rewind_starts_again) {
  trace::NdjsonSource source(std::make_unique<trace::MemorySource>("{\"a\":1}\n{\"b\":2}\n{\"c"));
  const ReadBack first = read_all(source);
  ASSERT_TRUE(source.rewind());
  EXPECT_EQ(read_all(source), first);
}

TEST(NdjsonSource, nothing_is_a_clean_end) {
  EXPECT_EQ(read_ndjson(""), ReadBack{});
  EXPECT_EQ(read_ndjson("\n\r\n   \n"), ReadBack{});
}

}  // namespace
}  // namespace oomtrace::test
