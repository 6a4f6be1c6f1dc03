// SPDX-License-Identifier: Apache-2.0
// What a trace file gives after it was cut, damaged or made to hurt.
#include "trace/reader.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zstd.h>

#include <fstream>
#include <random>
#include <thread>

#include "base/file.h"
#include "support/temp_dir.h"
#include "trace/limits.h"
#include "unit/trace/trace_support.h"

namespace oomtrace::test {
namespace {

using trace::kFrameMagic;

std::vector<std::string> joined(const std::vector<std::vector<std::string>>& frames, std::size_t count) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < count; ++i) lines.insert(lines.end(), frames[i].begin(), frames[i].end());
  return lines;
}

std::uint64_t resident_bytes() {
  std::uint64_t pages = 0;
  std::uint64_t resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

TEST(TraceReader, lines_come_back_as_written) {
  const std::vector<std::vector<std::string>> frames = {memory_lines(1, 3), memory_lines(4, 1), memory_lines(5, 40)};
  const ReadBack back = read_trace(make_trace(frames));
  EXPECT_EQ(back.lines, joined(frames, 3));
  EXPECT_TRUE(back.notes.empty());
  EXPECT_EQ(back.error, "");
}

TEST(TraceReader, cut_at_every_byte_reads_the_whole_frames_and_names_what_is_missing) {
  const std::vector<std::vector<std::string>> frames = {memory_lines(1, 2), memory_lines(3, 5), memory_lines(8, 1),
                                                        memory_lines(9, 12)};
  std::vector<std::size_t> ends;  // offset behind frame i
  for (std::size_t i = 0; i < frames.size(); ++i) {
    ends.push_back(make_trace({frames.begin(), frames.begin() + static_cast<std::ptrdiff_t>(i) + 1}).size());
  }
  const std::string whole = make_trace(frames);
  ASSERT_EQ(whole.size(), ends.back());

  EXPECT_NE(read_trace("").error.find("empty"), std::string::npos);
  for (std::size_t cut = 1; cut <= whole.size(); ++cut) {
    const ReadBack back = read_trace(std::string_view(whole).substr(0, cut));
    std::size_t count = 0;
    while (count < ends.size() && ends[count] <= cut) ++count;
    const std::size_t rest = cut - (count == 0 ? 0 : ends[count - 1]);
    ASSERT_EQ(back.error, "") << "cut at " << cut;
    ASSERT_EQ(back.lines, joined(frames, count)) << "cut at " << cut;
    std::vector<std::string> notes;
    if (rest > 0) {
      notes.push_back("the last frame is cut: " + std::to_string(rest) + (rest == 1 ? " byte" : " bytes") + " ignored");
    }
    ASSERT_EQ(back.notes, notes) << "cut at " << cut;
  }
}

TEST(TraceReader, any_damaged_byte_costs_at_most_its_frame) {
  const std::vector<std::vector<std::string>> frames = {memory_lines(1, 3), memory_lines(4, 3), memory_lines(7, 3)};
  const std::size_t begin = make_trace({frames[0]}).size();
  const std::size_t end = make_trace({frames[0], frames[1]}).size();
  const std::string whole = make_trace(frames);
  std::vector<std::string> without = frames[0];
  without.insert(without.end(), frames[2].begin(), frames[2].end());
  for (std::size_t at = begin; at < end; ++at) {
    for (const unsigned char flip : {0x01, 0x80, 0xFF}) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ flip);
      const ReadBack back = read_trace(bytes);
      // A bit of the header without meaning may flip unseen; whatever is read was written so.
      if (back.lines == joined(frames, 3)) continue;
      ASSERT_EQ(back.error, "") << "byte " << at;
      ASSERT_EQ(back.lines, without) << "byte " << at;
      ASSERT_EQ(back.notes.size(), 1U) << "byte " << at;
      ASSERT_EQ(back.notes[0].rfind(std::to_string(end - begin) + " bytes at offset " + std::to_string(begin), 0), 0U)
          << back.notes[0];
    }
  }
}

TEST(TraceReader, missing_and_inserted_bytes_in_the_middle_are_skipped) {
  const std::vector<std::vector<std::string>> frames = {memory_lines(1, 30), memory_lines(31, 30),
                                                        memory_lines(61, 30)};
  const std::string first = make_trace({frames[0]});
  const std::string second = make_trace({frames[1]});
  const std::string third = make_trace({frames[2]});
  std::vector<std::string> outer = frames[0];
  outer.insert(outer.end(), frames[2].begin(), frames[2].end());

  for (const std::string& middle :
       {second.substr(0, second.size() / 2), second.substr(5), std::string(4096, '\0'), std::string(kFrameMagic),
        std::string("not zstd at all"), std::string(kFrameMagic) + std::string(kFrameMagic)}) {
    const ReadBack back = read_trace(first + middle + third);
    EXPECT_EQ(back.lines, outer);
    ASSERT_EQ(back.notes.size(), 1U);
    EXPECT_NE(back.notes[0].find(std::to_string(middle.size()) + " bytes at offset " + std::to_string(first.size())),
              std::string::npos)
        << back.notes[0];
  }
}

TEST(TraceReader, zero_bytes_at_the_end_are_noted) {
  const std::string whole = make_trace({memory_lines(1, 5)});
  const ReadBack back = read_trace(whole + std::string(70'000, '\0'));
  EXPECT_EQ(back.lines, memory_lines(1, 5));
  EXPECT_EQ(back.notes,
            std::vector<std::string>{"70000 zero bytes at the end ignored, as a crash of the machine leaves them"});
}

TEST(TraceReader, frame_with_a_zeroed_tail_counts_as_cut) {
  const std::string first = make_trace({memory_lines(1, 5)});
  std::string second = make_trace({memory_lines(6, 40)});
  std::fill(second.begin() + static_cast<std::ptrdiff_t>(second.size() / 2), second.end(), '\0');
  const ReadBack back = read_trace(first + second + std::string(5000, '\0'));
  EXPECT_EQ(back.lines, memory_lines(1, 5));
  ASSERT_EQ(back.notes.size(), 1U);
  EXPECT_NE(back.notes[0].find(std::to_string(second.size() + 5000)), std::string::npos) << back.notes[0];
}

TEST(TraceReader, garbage_is_refused) {
  EXPECT_NE(read_trace("hello, world\n").error.find("not a trace"), std::string::npos);
  EXPECT_NE(read_trace(std::string(100, '\0')).error.find("not a trace"), std::string::npos);
  const std::string lone = std::string(kFrameMagic) + "\xFF\xFF\xFF\xFF garbage behind the magic";
  EXPECT_NE(read_trace(lone).error.find("not a single readable frame"), std::string::npos);
}

TEST(TraceReader, damaged_first_frame_costs_only_itself) {
  const std::string first = make_trace({memory_lines(1, 3)});
  const std::string second = make_trace({memory_lines(4, 3)});
  for (std::size_t at = kFrameMagic.size(); at < first.size(); ++at) {
    std::string bytes = first + second;
    bytes[at] = static_cast<char>(~static_cast<unsigned char>(bytes[at]));
    const ReadBack back = read_trace(bytes);
    ASSERT_EQ(back.error, "") << "byte " << at;
    ASSERT_EQ(back.lines, memory_lines(4, 3)) << "byte " << at;
    ASSERT_EQ(back.notes.size(), 1U) << "byte " << at;
  }
}

TEST(TraceReader, random_bytes_behind_a_magic_end) {
  std::mt19937 random(42);
  for (int round = 0; round < 300; ++round) {
    std::string bytes(kFrameMagic);
    const std::size_t size = random() % 4000;
    while (bytes.size() < size) {
      bytes += static_cast<char>(random());
      if (random() % 50 == 0) bytes += kFrameMagic;
    }
    (void)read_trace(bytes);
  }
}

TEST(TraceReader, bomb_of_one_frame_costs_bounded_memory_and_is_refused) {
  std::string bomb;
  for (const char filler : {'\0', '\n'}) {
    const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
    const std::string block(std::size_t{1} << 20, filler);
    std::string out(1 << 16, '\0');
    bomb.clear();
    for (int i = 0; i < 1024; ++i) {  // 1 GiB
      ZSTD_inBuffer in{block.data(), block.size(), 0};
      std::size_t left = 1;
      while (in.pos < in.size || (i == 1023 && left != 0)) {
        ZSTD_outBuffer piece{out.data(), out.size(), 0};
        left = ZSTD_compressStream2(context.get(), &piece, &in, i == 1023 ? ZSTD_e_end : ZSTD_e_continue);
        ASSERT_FALSE(ZSTD_isError(left));
        bomb.append(out, 0, piece.pos);
      }
    }
    EXPECT_LT(bomb.size(), 200'000U);
    const std::uint64_t before = resident_bytes();
    const ReadBack back = read_trace(bomb);
    EXPECT_TRUE(back.lines.empty());
    EXPECT_NE(back.error, "");
    EXPECT_LT(resident_bytes(), before + (std::uint64_t{256} << 20));
    // Among sound frames it is left out.
    const ReadBack among = read_trace(make_trace({memory_lines(1, 2)}) + bomb + make_trace({memory_lines(3, 2)}));
    EXPECT_EQ(among.lines, memory_lines(1, 4));
    EXPECT_EQ(among.notes.size(), 1U);
  }
}

TEST(TraceReader, huge_window_is_refused) {
  const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, 27);
  std::string out(1 << 16, '\0');
  const std::string raw = memory_line(1) + "\n";
  ZSTD_inBuffer in{raw.data(), raw.size(), 0};
  ZSTD_outBuffer piece{out.data(), out.size(), 0};
  ASSERT_FALSE(ZSTD_isError(ZSTD_compressStream2(context.get(), &piece, &in, ZSTD_e_flush)));
  ASSERT_EQ(ZSTD_compressStream2(context.get(), &piece, &in, ZSTD_e_end), 0U);
  out.resize(piece.pos);
  EXPECT_NE(read_trace(out).error, "");
}

TEST(TraceReader, line_beyond_the_maximum_is_refused_with_its_frame) {
  const std::string just(trace::kMaxLineBytes - 1, 'x');
  EXPECT_EQ(read_trace(make_frame(just + "\n")).lines, std::vector<std::string>{just});
  EXPECT_NE(read_trace(make_frame(just + "x\n")).error, "");
  EXPECT_NE(read_trace(make_frame("a\n" + just + "xx\nb\n")).error, "");
  // Spread over frames.
  const ReadBack spread = read_trace(make_frame("a\n" + just) + make_frame("more") + make_frame("b\n"));
  EXPECT_EQ(spread.lines, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(spread.notes.size(), 2U);
}

TEST(TraceReader, frames_of_other_tools_may_split_lines_and_skip) {
  const std::string skippable("\x50\x2A\x4D\x18\x03\x00\x00\x00xyz", 11);
  const ReadBack back = read_trace(skippable + make_frame("{\"a\":1}\r\n\n{\"b\"") + make_frame("") + skippable +
                                   make_frame(":2}\n{\"c\":3}"));
  EXPECT_EQ(back.lines, (std::vector<std::string>{"{\"a\":1}", "{\"b\":2}", "{\"c\":3}"}));
  EXPECT_TRUE(back.notes.empty());
  EXPECT_EQ(read_trace(make_frame("{\"a\":1}\n{\"b")).notes.size(), 1U);
}

TEST(TraceReader, large_frame_of_another_tool_is_read) {
  std::string raw;
  std::size_t count = 0;
  for (; raw.size() < (std::size_t{24} << 20); ++count) raw += memory_line(count) + "\n";
  EXPECT_EQ(read_trace(make_frame(raw)).lines.size(), count);
}

TEST(TraceReader, frames_that_inflate_without_end_are_given_up) {
  const std::string line = std::string((std::size_t{1} << 19) - 1, 'x') + "\n";
  const std::string frame = make_frame(line + line + line + line);
  std::string bytes;
  for (int i = 0; i < 200; ++i) bytes += frame;
  trace::Reader reader(std::make_unique<trace::MemorySource>(bytes));
  auto next = reader.next_line();
  std::size_t lines = 0;
  for (; next && *next; next = reader.next_line()) ++lines;
  EXPECT_EQ(lines, 512U);  // 256 MiB
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code, Errc::kInput);
  EXPECT_NE(next.error().context.find("inflates to more than 200 times"), std::string::npos);
}

TEST(TraceReader, rewind_reads_the_same_again) {
  const std::string bytes = make_trace({memory_lines(1, 9), memory_lines(10, 9)});
  trace::Reader reader(std::make_unique<trace::MemorySource>(std::string_view(bytes).substr(0, bytes.size() - 3)));
  const ReadBack first = read_all(reader);
  ASSERT_TRUE(reader.rewind());
  EXPECT_EQ(read_all(reader), first);
  EXPECT_EQ(first.lines, memory_lines(1, 9));
}

TEST(TraceReader, pipe_is_read_in_small_pieces_and_cannot_rewind) {
  const std::string bytes = make_trace({memory_lines(1, 50), memory_lines(51, 50)});
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  Fd out(ends[1]);
  trace::Reader reader(std::make_unique<trace::FdSource>(Fd(ends[0])));
  std::thread feeder([&] {
    for (std::size_t at = 0; at < bytes.size(); at += 7) {
      ASSERT_TRUE(write_all(out, std::string_view(bytes).substr(at, 7)));
    }
    out.reset();
  });
  const ReadBack back = read_all(reader);
  feeder.join();
  EXPECT_EQ(back.lines, memory_lines(1, 100));
  EXPECT_FALSE(reader.rewind());
}

TEST(TraceReader, open_tells_why_not) {
  const TempDir directory;
  auto missing = trace::Reader::open(directory / "no-such-file");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().sys_errno, ENOENT);
  EXPECT_EQ(missing.error().code, Errc::kInput);
  auto folder = trace::Reader::open(directory.path());
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().sys_errno, EISDIR);
}

}  // namespace
}  // namespace oomtrace::test
