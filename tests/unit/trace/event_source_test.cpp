// SPDX-License-Identifier: Apache-2.0
// The same events, whatever became of their lines on the way.
#include "trace/event_source.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>

#include "codec/json_writer.h"
#include "trace/ndjson_source.h"
#include "trace/reader.h"
#include "unit/trace/trace_support.h"

namespace oomtrace::test {
namespace {

using trace::EventInput;
using trace::EventSource;
using trace::EventSourceCounts;
using trace::EventSourceOptions;
using Lines = std::vector<std::string>;

constexpr const char* kOtherTrace = "fedcba9876543210fedcba9876543210";

std::string encode(const Event& event) {
  std::array<char, codec::kMaxLineBytes> buffer;
  const auto size = codec::encode_line(event, buffer);
  EXPECT_TRUE(size);
  return {buffer.data(), *size};
}

Event event_base(std::uint64_t seq, std::string_view trace_id) {
  Event event;
  event.seq = seq;
  event.boot_ns = 1'000'000'000 + seq * 1000;
  event.wall_ns = 1'700'000'000'000'000'000 + static_cast<std::int64_t>(event.boot_ns);
  event.trace_id = trace_id;
  event.boot_id = "5c3a2a3e-5b0e-4c8c-9c0f-2f1f8d9d1a77";
  event.host_name = "node";
  return event;
}

std::string start_line(std::uint64_t seq, std::string_view trace_id = kTraceId, bool narrowed = false,
                       std::vector<std::string_view> selected_kinds = {}) {
  Event event = event_base(seq, trace_id);
  TraceStart start;
  start.tool_version = "0.1.0";
  start.page_size = 4096;
  start.source = "live";
  start.narrowed = narrowed;
  start.selected_kinds = std::move(selected_kinds);
  event.payload = start;
  return encode(event);
}

std::string memory_event(std::uint64_t seq, std::string_view trace_id = kTraceId) {
  Event event = event_base(seq, trace_id);
  ProcessMemory memory;
  memory.process = {static_cast<std::uint32_t>(100 + seq % 7), 5'000'000, "python3"};
  memory.memory = MemoryCounters{static_cast<std::int64_t>(seq * 4096), 1, 2, 3, 4, 5, std::nullopt};
  event.payload = memory;
  return encode(event);
}

// trace.start and `count` - 1 process.memory events.
Lines trace_lines(std::size_t count, std::string_view trace_id = kTraceId) {
  Lines lines = {start_line(1, trace_id)};
  for (std::uint64_t seq = 2; seq <= count; ++seq) lines.push_back(memory_event(seq, trace_id));
  return lines;
}

EventInput ndjson(std::string_view text, std::string name = "stream") {
  return {std::move(name), std::make_unique<trace::NdjsonSource>(std::make_unique<trace::MemorySource>(text))};
}
EventInput trace_input(std::string_view bytes, std::string name = "trace") {
  return {std::move(name), std::make_unique<trace::Reader>(std::make_unique<trace::MemorySource>(bytes))};
}

std::string join(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

struct Outcome {
  Lines events;  // encoded again
  EventSourceCounts counts;
  Lines notes;
  std::string error;
  int started_over = 0;
};

void expect_same(const Outcome& a, const Outcome& b) {
  EXPECT_EQ(a.events, b.events);
  EXPECT_EQ(a.notes, b.notes);
  EXPECT_EQ(a.error, b.error);
  EXPECT_EQ(a.counts.events, b.counts.events);
  EXPECT_EQ(a.counts.traces, b.counts.traces);
  EXPECT_EQ(a.counts.duplicates, b.counts.duplicates);
  EXPECT_EQ(a.counts.missing, b.counts.missing);
  EXPECT_EQ(a.counts.unknown_kinds, b.counts.unknown_kinds);
  EXPECT_EQ(a.counts.undecodable, b.counts.undecodable);
}

template <class... Inputs>
Outcome read_with(bool trusted, Inputs&&... input) {
  std::vector<EventInput> inputs;
  (inputs.push_back(std::forward<Inputs>(input)), ...);
  Outcome outcome;
  EventSourceOptions options;
  if (trusted) {
    options.start_over = [&] {
      ++outcome.started_over;
      outcome.events.clear();
    };
  }
  auto source = EventSource::open(std::move(inputs), options);
  if (!source) {
    outcome.error = source.error().context;
    return outcome;
  }
  for (;;) {
    auto event = source->next();
    if (!event) {
      outcome.error = event.error().context;
      break;
    }
    if (!*event) break;
    outcome.events.push_back(encode(**event));
  }
  outcome.counts = source->counts();
  outcome.notes = source->notes();
  return outcome;
}
template <class... Inputs>
Outcome read_events(Inputs&&... input) {
  return read_with(false, std::forward<Inputs>(input)...);
}
template <class... Inputs>
Outcome read_trusted(Inputs&&... input) {
  return read_with(true, std::forward<Inputs>(input)...);
}

TEST(EventSource, trace_and_stream_give_the_same_events) {
  const Lines lines = trace_lines(500);
  const std::string bytes = make_trace({{lines.begin(), lines.begin() + 200}, {lines.begin() + 200, lines.end()}});
  const Outcome from_trace = read_events(trace_input(bytes));
  const std::string text = join(lines);
  const Outcome from_stream = read_events(ndjson(text));
  EXPECT_EQ(from_trace.events, lines);
  EXPECT_EQ(from_stream.events, lines);
  EXPECT_EQ(from_trace.counts.events, 500U);
  EXPECT_EQ(from_trace.counts.missing, 0U);
  EXPECT_TRUE(from_trace.notes.empty());
  EXPECT_TRUE(from_stream.notes.empty());
}

TEST(EventSource, shuffled_and_duplicated_stream_equals_the_ordered_one) {
  const Lines lines = trace_lines(400);
  std::mt19937 random(17);
  for (int round = 0; round < 5; ++round) {
    Lines arrived = lines;
    for (int i = 0; i < 100; ++i) arrived.push_back(lines[random() % lines.size()]);
    std::shuffle(arrived.begin(), arrived.end(), random);
    const std::string text = join(arrived);
    const Outcome outcome = read_events(ndjson(text));
    EXPECT_EQ(outcome.events, lines);
    EXPECT_EQ(outcome.counts.duplicates, 100U);
    EXPECT_EQ(outcome.counts.missing, 0U);
    EXPECT_TRUE(outcome.notes.empty());
  }
}

TEST(EventSource, what_is_trusted_and_in_order_is_given_once) {
  const Lines lines = trace_lines(3000);  // several blocks of what is read ahead
  const std::string bytes = make_trace({{lines.begin(), lines.begin() + 1700}, {lines.begin() + 1700, lines.end()}});
  const Outcome outcome = read_trusted(trace_input(bytes));
  EXPECT_EQ(outcome.events, lines);
  EXPECT_EQ(outcome.started_over, 0);
  expect_same(outcome, read_events(trace_input(bytes)));
}

TEST(EventSource, trust_that_proves_wrong_changes_nothing_but_the_way) {
  const Lines lines = trace_lines(2000);
  const Lines others = trace_lines(500, kOtherTrace);
  for (const std::size_t late : {1U, 2U, 700U, 1999U}) {
    Lines swapped = lines;
    std::swap(swapped[late - 1], swapped[late]);
    swapped.push_back(swapped[late]);
    const std::string text = join(swapped);
    const std::string other = join(others);
    const Outcome outcome = read_trusted(ndjson(text), ndjson(other));
    EXPECT_EQ(outcome.started_over, 1) << late;
    EXPECT_EQ(outcome.counts.duplicates, 1U);
    EXPECT_EQ(outcome.events.size(), lines.size() + others.size());
    expect_same(outcome, read_events(ndjson(text), ndjson(other)));
  }
}

TEST(EventSource, trusted_inputs_are_sorted_one_by_one) {
  const Lines lines = trace_lines(900);
  Lines odd;
  Lines even;
  for (std::size_t i = 0; i < lines.size(); ++i) (i % 2 == 0 ? even : odd).push_back(lines[i]);
  std::reverse(odd.begin() + 300, odd.end());
  std::reverse(even.begin() + 400, even.end());
  const std::string odd_text = join(odd);
  const std::string even_text = join(even);
  const Outcome outcome = read_trusted(ndjson(odd_text), ndjson(even_text));
  EXPECT_EQ(outcome.started_over, 2);
  EXPECT_EQ(outcome.events, lines);
  expect_same(outcome, read_events(ndjson(odd_text), ndjson(even_text)));
}

TEST(EventSource, trusted_input_that_is_bad_is_told_alike) {
  const Lines lines = trace_lines(400);
  std::string text = "not an event\n" + join(lines);
  text.insert(text.size() / 2, "\n{\"broken\n");
  expect_same(read_trusted(ndjson(text)), read_events(ndjson(text)));
  const std::string trace = make_trace({lines});
  const std::string cut = trace.substr(0, trace.size() / 2);
  expect_same(read_trusted(trace_input(cut)), read_events(trace_input(cut)));
  const std::string later = start_line(1) + "\n" +
                            R"({"event":"trace.start","schema":"oomtrace.event/9","seq":2,"trace_id":")" +
                            std::string(kTraceId) + "\"}\n";
  expect_same(read_trusted(ndjson(later)), read_events(ndjson(later)));
}

TEST(EventSource, what_is_read_ahead_may_be_left) {
  const Lines lines = trace_lines(5000);
  const std::string text = join(lines);
  std::vector<EventInput> inputs;
  inputs.push_back(ndjson(text));
  EventSourceOptions options;
  options.start_over = [] {};
  auto source = EventSource::open(std::move(inputs), options);
  ASSERT_TRUE(source);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(source->next());
}

TEST(EventSource, several_inputs_of_one_trace_are_one) {
  const Lines lines = trace_lines(300);
  Lines odd;
  Lines even;
  for (std::size_t i = 0; i < lines.size(); ++i) (i % 2 == 0 ? even : odd).push_back(lines[i]);
  std::reverse(odd.begin(), odd.end());
  const std::string odd_text = join(odd);
  const std::string even_text = join(even);
  const std::string bytes = make_trace({Lines(lines.begin() + 100, lines.begin() + 150)});
  const Outcome outcome = read_events(ndjson(odd_text), trace_input(bytes), ndjson(even_text));
  EXPECT_EQ(outcome.events, lines);
  EXPECT_EQ(outcome.counts.duplicates, 50U);
  EXPECT_EQ(outcome.counts.traces, 1U);
}

TEST(EventSource, traces_come_one_after_the_other_whatever_the_order_of_inputs) {
  const Lines first = trace_lines(50);
  const Lines second = trace_lines(60, kOtherTrace);
  Lines both = first;
  both.insert(both.end(), second.begin(), second.end());
  const std::string first_text = join(first);
  const std::string second_text = join(second);
  const std::string swapped = second_text + first_text;
  for (const Outcome& outcome : {read_events(ndjson(first_text), ndjson(second_text)),
                                 read_events(ndjson(second_text), ndjson(first_text)), read_events(ndjson(swapped))}) {
    EXPECT_EQ(outcome.events, both);
    EXPECT_EQ(outcome.counts.traces, 2U);
    EXPECT_EQ(outcome.counts.missing, 0U);
  }
}

TEST(EventSource, gaps_are_counted) {
  Lines lines = trace_lines(100);
  lines.erase(lines.begin() + 49, lines.begin() + 59);
  lines.erase(lines.begin() + 9);
  const std::string text = join(lines);
  const Outcome outcome = read_events(ndjson(text));
  EXPECT_EQ(outcome.events, lines);
  EXPECT_EQ(outcome.counts.missing, 11U);
  EXPECT_EQ(outcome.notes, Lines{"11 events missing from the input (gaps in seq)"});
}

TEST(EventSource, a_gap_that_is_told_of_is_told_once) {
  const auto lost = [](const std::string& source) {
    return R"({"boot_ns":9,"seq":20,"trace_id":")" + std::string(kTraceId) +
           R"(","event":"trace.lost","trace":{"lost":{"source":")" + source + R"(","count":6,"detail":"full"}}})";
  };
  // 3 and 4 are refused, then a kill has room, then 6 to 8 and 20 are: what is between them went another way.
  for (const auto& [source, missing] :
       {std::pair("disk", 10U), std::pair("stream", 10U), std::pair("process_ring", 15U)}) {
    std::string text;
    for (const std::uint64_t seq : {1U, 2U, 5U, 9U}) text += memory_event(seq) + "\n";
    text += lost(source) + "\n" + memory_event(21) + "\n";
    EXPECT_EQ(read_events(ndjson(text)).counts.missing, missing) << source;
  }
}

TEST(EventSource, late_start_is_a_gap_unless_a_segment_starts_there) {
  const std::string late = memory_event(41) + "\n" + memory_event(42) + "\n";
  EXPECT_EQ(read_events(ndjson(late)).counts.missing, 40U);
  const std::string segment = start_line(41) + "\n" + memory_event(42) + "\n";
  EXPECT_EQ(read_events(ndjson(segment)).counts.missing, 0U);
}

TEST(EventSource, huge_numbers_do_not_wrap_the_count) {
  std::string text;
  for (const char* id : {"a", "b", "c"}) text += memory_event(18'000'000'000'000'000'000ULL, id) + "\n";
  EXPECT_EQ(read_events(ndjson(text)).counts.missing, std::numeric_limits<std::uint64_t>::max());
}

TEST(EventSource, unreadable_lines_are_counted_with_the_first_ones_number) {
  const Lines lines = trace_lines(5);
  const std::string text = lines[0] + "\nnoise\n" + lines[1] + "\n" + lines[2] + "\n{\"trace_id\":\"" + kTraceId +
                           "\",\"seq\":4,\"event\":5}\n" + lines[4] + "\n";
  const Outcome outcome = read_events(ndjson(text));
  EXPECT_EQ(outcome.events, (Lines{lines[0], lines[1], lines[2], lines[4]}));
  EXPECT_EQ(outcome.counts.undecodable, 2U);
  EXPECT_EQ(outcome.counts.missing, 0U);  // it was there, though unreadable
  EXPECT_EQ(outcome.notes, Lines{"2 lines could not be read as an event, the first is line 2"});
}

TEST(EventSource, cut_copy_does_not_hide_the_whole_one) {
  const Lines lines = trace_lines(5);
  const std::string cut = lines[2].substr(0, lines[2].size() - 3);
  const std::string text = join({lines[0], lines[1], cut, lines[2], lines[3], lines[4]});
  const Outcome outcome = read_events(ndjson(text));
  EXPECT_EQ(outcome.events, lines);
  EXPECT_EQ(outcome.counts.undecodable, 1U);
}

TEST(EventSource, unknown_kinds_are_passed_over_and_counted) {
  const Lines lines = trace_lines(3);
  std::string unknown = memory_event(4);
  unknown.replace(unknown.find("process.memory"), 14, "process.future");
  const std::string text = join(lines) + unknown + "\n" + unknown + "\n" + memory_event(5) + "\n";
  const Outcome outcome = read_events(ndjson(text));
  EXPECT_EQ(outcome.events.size(), 4U);
  EXPECT_EQ(outcome.counts.unknown_kinds, 1U);
  EXPECT_EQ(outcome.counts.duplicates, 1U);
  EXPECT_EQ(outcome.counts.missing, 0U);
  EXPECT_EQ(outcome.notes.size(), 1U);
}

TEST(EventSource, later_major_schema_is_refused) {
  const std::string text =
      "{\"seq\":1,\"trace_id\":\"ab\",\"event\":\"trace.start\",\"schema\":\"oomtrace.event/2\"}\n";
  std::vector<EventInput> inputs;
  inputs.push_back(ndjson(text, "new.ndjson"));
  auto source = EventSource::open(std::move(inputs));
  ASSERT_TRUE(source);
  const auto event = source->next();
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().code, Errc::kSchemaTooNew);
  EXPECT_EQ(event.error().context.rfind("new.ndjson: ", 0), 0U);
}

TEST(EventSource, numbers_and_order_of_members_may_change_on_the_way) {
  Lines lines = trace_lines(3);
  std::string changed = lines[1];
  const std::string seq = "\"seq\":2";
  ASSERT_NE(changed.find(seq + ","), std::string::npos);
  changed.replace(changed.find(seq), seq.size(), "\"seq\":\"2\"");
  const std::string text = join({changed, lines[0], lines[2]});
  const Outcome outcome = read_events(ndjson(text));
  EXPECT_EQ(outcome.events, lines);
}

TEST(EventSource, what_a_narrowed_trace_leaves_out_is_not_missing) {
  const std::string other(32, 'f');
  const Lines narrowed = {start_line(1, kTraceId, true), memory_event(5), memory_event(90)};
  EXPECT_EQ(read_events(ndjson(join(narrowed))).counts.missing, 0U);
  Lines both = narrowed;
  for (const std::string& line : {start_line(1, other), memory_event(4, other)}) both.push_back(line);
  EXPECT_EQ(read_events(ndjson(join(both))).counts.missing, 2U) << "the other trace has all that it should";
}

TEST(EventSource, what_a_stream_of_chosen_kinds_leaves_out_is_missing_in_its_trace_alone) {
  const Lines stream = {start_line(1, kTraceId, false, {"process.memory"}), memory_event(5), memory_event(90)};
  EXPECT_EQ(read_events(ndjson(join(stream))).counts.missing, 0U);
  const Lines trace = {start_line(1), memory_event(2), memory_event(5)};
  for (const bool stream_first : {true, false}) {
    const std::string first = join(stream_first ? stream : trace), second = join(stream_first ? trace : stream);
    const Outcome both = read_events(ndjson(first), ndjson(second));
    EXPECT_EQ(both.events.front(), trace.front()) << "the trace tells more of itself than its stream does";
    EXPECT_EQ(both.counts.missing, 2U + 84U);
  }
}

TEST(EventSource, cut_stream_and_damaged_trace_say_what_is_missing) {
  const Lines lines = trace_lines(40);
  const std::string text = join(lines);
  const Outcome cut = read_events(ndjson(std::string_view(text).substr(0, text.size() - 30)));
  EXPECT_EQ(cut.events, Lines(lines.begin(), lines.end() - 1));
  ASSERT_EQ(cut.notes.size(), 1U);

  const std::string a = make_trace({Lines(lines.begin(), lines.begin() + 10)});
  const std::string b = make_trace({Lines(lines.begin() + 10, lines.begin() + 20)});
  const std::string c = make_trace({Lines(lines.begin() + 20, lines.end())});
  std::string broken = b;
  broken[b.size() / 2] = static_cast<char>(~broken[b.size() / 2]);
  const std::string damaged = a + broken + c;
  const Outcome outcome = read_events(trace_input(damaged, "one"), ndjson("", "two"));
  EXPECT_EQ(outcome.counts.missing, 10U);
  ASSERT_EQ(outcome.notes.size(), 2U);
  EXPECT_EQ(outcome.notes[0].rfind("one: ", 0), 0U) << outcome.notes[0];
  // The damaged part from elsewhere fills the gap.
  const std::string rescue = join(Lines(lines.begin() + 5, lines.begin() + 25));
  EXPECT_EQ(read_events(trace_input(damaged), ndjson(rescue)).events, lines);
}

TEST(EventSource, prefix_of_a_trace_gives_a_prefix_of_its_events) {
  const Lines lines = trace_lines(30);
  const std::string bytes =
      make_trace({Lines(lines.begin(), lines.begin() + 10), Lines(lines.begin() + 10, lines.begin() + 20),
                  Lines(lines.begin() + 20, lines.end())});
  std::set<std::size_t> sizes;
  for (std::size_t cut = 1; cut <= bytes.size(); cut += 3) {
    const Outcome outcome = read_events(trace_input(std::string_view(bytes).substr(0, cut)));
    ASSERT_LE(outcome.events.size(), lines.size());
    ASSERT_TRUE(std::equal(outcome.events.begin(), outcome.events.end(), lines.begin()));
    ASSERT_EQ(outcome.counts.missing, 0U);
    sizes.insert(outcome.events.size());
  }
  EXPECT_TRUE(sizes.count(0) == 1 && sizes.count(10) == 1 && sizes.count(20) == 1);
}

TEST(EventSource, unreadable_input_is_named) {
  EXPECT_EQ(read_events(trace_input("garbage", "x.oomtrace")).error.rfind("x.oomtrace: not a trace", 0), 0U);
  EXPECT_EQ(read_events(trace_input("", "x.oomtrace")).error.rfind("x.oomtrace: the file is empty", 0), 0U);
  EXPECT_TRUE(read_events().events.empty());
}

}  // namespace
}  // namespace oomtrace::test
