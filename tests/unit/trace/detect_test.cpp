// SPDX-License-Identifier: Apache-2.0
// Inputs told apart by what is in them.
#include "trace/detect.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "base/file.h"
#include "trace/reader.h"
#include "unit/trace/trace_support.h"

namespace oomtrace::test {
namespace {

using trace::detect_format;
using trace::detect_input;
using trace::InputFormat;
using trace::MemorySource;

TEST(Detect, traces_streams_and_nothing) {
  EXPECT_EQ(detect_format(""), InputFormat::kEmpty);
  EXPECT_EQ(detect_format(" \n\r\n\t"), InputFormat::kEmpty);
  EXPECT_EQ(detect_format(make_trace({memory_lines(1, 1)})), InputFormat::kTrace);
  EXPECT_EQ(detect_format(make_trace({memory_lines(1, 1)}).substr(0, 2)), InputFormat::kTrace);  // cut early
  EXPECT_EQ(detect_format(memory_line(1) + "\n" + memory_line(2)), InputFormat::kNdjson);
  EXPECT_EQ(detect_format("\xEF\xBB\xBF\r\n\n  " + memory_line(1) + "\r\n"), InputFormat::kNdjson);
  EXPECT_EQ(detect_format(memory_line(1).substr(0, 300)), InputFormat::kNdjson);
  EXPECT_EQ(detect_format("collector started\n" + memory_line(1) + "\n"), InputFormat::kNdjson);
}

TEST(Detect, kernel_logs_in_every_dress_are_not_ours) {
  const std::vector<std::string> logs = {
      "[  100.000000] python3 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n",
      "6,1234,5678,-;Out of memory: Killed process 1 (a)\n SUBSYSTEM=memory\n",
      "May  1 10:00:00 host kernel: [1.0] Out of memory: Killed process 1 (a)\n",
      "{\"_BOOT_ID\":\"ab\",\"MESSAGE\":\"Out of memory: Killed process 1 (a)\",\"PRIORITY\":\"3\"}\n",
      "{\n   \"dmesg\": [\n      {\n         \"pri\": 6,\n         \"time\": 0.0,\n         \"msg\": \"x\"\n",
      "PK\x03\x04 a zip",
      "\x1f\x8b\x08 gzip"};
  for (const std::string& log : logs) {
    EXPECT_EQ(detect_format(log), InputFormat::kOther) << log;
  }
}

TEST(Detect, input_is_whole_after_the_look_at_it) {
  std::string text;
  for (const std::string& line : memory_lines(1, 1000)) text += line + "\n";  // far more than the look takes
  for (const std::string& bytes : {text, make_trace({memory_lines(1, 600), memory_lines(601, 400)})}) {
    auto input = detect_input(std::make_unique<MemorySource>(bytes));
    ASSERT_TRUE(input);
    const auto lines = trace::make_line_source(std::move(*input));
    ASSERT_NE(lines, nullptr);
    EXPECT_EQ(read_all(*lines).lines, memory_lines(1, 1000));
    ASSERT_TRUE(lines->rewind());
    EXPECT_EQ(read_all(*lines).lines, memory_lines(1, 1000));
  }
}

TEST(Detect, pipe_is_read_once_and_whole) {
  const std::string bytes = make_trace({memory_lines(1, 600), memory_lines(601, 400)});
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  Fd out(ends[1]);
  std::thread feeder([&] {
    EXPECT_TRUE(write_all(out, bytes));
    out.reset();
  });
  auto input = detect_input(std::make_unique<trace::FdSource>(Fd(ends[0])));
  ASSERT_TRUE(input);
  EXPECT_EQ(input->format, InputFormat::kTrace);
  const auto lines = trace::make_line_source(std::move(*input));
  EXPECT_EQ(read_all(*lines).lines, memory_lines(1, 1000));
  EXPECT_FALSE(lines->rewind());
  feeder.join();
}

TEST(Detect, what_is_not_ours_has_no_line_source_but_keeps_its_bytes) {
  const std::string log = "[1.0] hello\n";
  auto input = detect_input(std::make_unique<MemorySource>(log));
  ASSERT_TRUE(input);
  EXPECT_EQ(input->format, InputFormat::kOther);
  std::string back(100, '\0');
  auto got = input->bytes->read(back);
  ASSERT_TRUE(got);
  EXPECT_EQ(back.substr(0, *got), log);
  EXPECT_EQ(trace::make_line_source(std::move(*input)), nullptr);
}

}  // namespace
}  // namespace oomtrace::test
