// SPDX-License-Identifier: Apache-2.0
// Order without memory where there is order, and with bounded memory where there is none.
#include "trace/ordered_lines.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "trace/ndjson_source.h"
#include "trace/reader.h"
#include "unit/trace/trace_support.h"

namespace oomtrace::test {
namespace {

using trace::OrderedLines;

constexpr std::uint64_t kMuch = std::uint64_t{1} << 30;

// An input that cannot go back, as a pipe.
class OnceSource final : public trace::ByteSource {
 public:
  explicit OnceSource(std::string_view bytes) : bytes_(bytes) {}
  Result<std::size_t> read(std::span<char> into) override { return bytes_.read(into); }
  bool rewind() override { return false; }

 private:
  trace::MemorySource bytes_;
};

std::string join(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

Result<OrderedLines> open_text(std::string_view text, std::uint64_t max_bytes = kMuch) {
  return OrderedLines::open(std::make_unique<trace::NdjsonSource>(std::make_unique<trace::MemorySource>(text)),
                            max_bytes);
}

std::vector<std::string> drain(OrderedLines& lines) {
  std::vector<std::string> all;
  while (const auto line = lines.next()) all.emplace_back(line->text);
  return all;
}

TEST(OrderedLines, ordered_input_is_streamed) {
  const std::string bytes = make_trace({memory_lines(1, 700), memory_lines(701, 300)});
  auto lines = OrderedLines::open(std::make_unique<trace::Reader>(std::make_unique<trace::MemorySource>(bytes)), 0);
  ASSERT_TRUE(lines);
  EXPECT_EQ(lines->collected_bytes(), 0U);
  EXPECT_EQ(drain(*lines), memory_lines(1, 1000));
}

TEST(OrderedLines, disordered_and_unrepeatable_inputs_are_sorted) {
  std::vector<std::string> shuffled = memory_lines(1, 1000);
  std::shuffle(shuffled.begin(), shuffled.end(), std::mt19937(5));
  const std::string text = join(shuffled);
  auto lines = open_text(text);
  ASSERT_TRUE(lines);
  EXPECT_GT(lines->collected_bytes(), text.size() - 1001);
  EXPECT_EQ(drain(*lines), memory_lines(1, 1000));

  auto once = OrderedLines::open(std::make_unique<trace::NdjsonSource>(std::make_unique<OnceSource>(text)), kMuch);
  ASSERT_TRUE(once);
  EXPECT_EQ(drain(*once), memory_lines(1, 1000));
}

TEST(OrderedLines, copies_with_other_text_come_in_an_order_of_their_own) {
  const std::string a = R"({"seq":1,"trace_id":"t","x":"a"})";
  const std::string b = R"({"seq":1,"trace_id":"t","x":"b"})";
  const std::string other = R"({"seq":5,"trace_id":"s"})";
  for (const auto& order : {std::vector{a, b, other}, std::vector{b, other, a}, std::vector{other, a, b}}) {
    const std::string text = join(order);
    auto lines = open_text(text);
    ASSERT_TRUE(lines);
    EXPECT_EQ(drain(*lines), (std::vector{other, a, b}));
  }
}

TEST(OrderedLines, memory_limit_is_an_error) {
  std::vector<std::string> lines = memory_lines(1, 1000);
  std::swap(lines.front(), lines.back());
  const std::string text = join(lines);
  const auto refused = open_text(text, 100'000);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kInput);
  EXPECT_NE(refused.error().hint, "");
  EXPECT_TRUE(open_text(join(memory_lines(1, 1000)), 100'000));
}

TEST(OrderedLines, many_distinct_traces_count_against_the_limit) {
  std::string text;
  for (int i = 9999; i >= 0; --i) text += "{\"seq\":1,\"trace_id\":\"" + std::to_string(i) + "\"}\n";
  EXPECT_FALSE(open_text(text, 1'000'000));
  EXPECT_TRUE(open_text(text, 10'000'000));
}

TEST(OrderedLines, lines_without_a_key_are_counted_with_the_first_ones_number) {
  const std::string ordered = "noise\n" + memory_line(1) + "\n{}\n" + memory_line(2) + "\n";
  const std::string disordered = memory_line(2) + "\nnoise\n" + memory_line(1) + "\n[]\n";
  for (const auto& [text, first] : {std::pair{ordered, 1U}, std::pair{disordered, 2U}}) {
    auto lines = open_text(text);
    ASSERT_TRUE(lines);
    EXPECT_EQ(drain(*lines), memory_lines(1, 2));
    EXPECT_EQ(lines->unkeyed_lines(), 2U);
    EXPECT_EQ(lines->first_unkeyed_line(), first);
  }
}

TEST(OrderedLines, line_numbers_are_those_of_the_input) {
  const std::string text = memory_line(3) + "\n" + memory_line(1) + "\n" + memory_line(2) + "\n";
  auto lines = open_text(text);
  ASSERT_TRUE(lines);
  EXPECT_EQ(lines->next()->number, 2U);
  EXPECT_EQ(lines->next()->number, 3U);
  EXPECT_EQ(lines->next()->number, 1U);
  EXPECT_FALSE(lines->next());
}

TEST(OrderedLines, unreadable_input_is_an_error_and_one_that_breaks_off_a_note) {
  const auto nothing = OrderedLines::open(
      std::make_unique<trace::Reader>(std::make_unique<trace::MemorySource>("no trace at all")), kMuch);
  ASSERT_FALSE(nothing);
  EXPECT_NE(nothing.error().context.find("not a trace"), std::string::npos);

  // The endless line behind two good ones.
  const std::string text = join(memory_lines(1, 2)) + std::string(std::size_t{66} << 20, 'x');
  auto lines = open_text(text);
  ASSERT_TRUE(lines);
  EXPECT_EQ(drain(*lines), memory_lines(1, 2));
  ASSERT_EQ(lines->notes().size(), 1U);
  EXPECT_EQ(lines->notes()[0].rfind("reading ended early: line 3", 0), 0U) << lines->notes()[0];
}

}  // namespace
}  // namespace oomtrace::test
