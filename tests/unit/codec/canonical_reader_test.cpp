// SPDX-License-Identifier: Apache-2.0
// The short way takes all of the writer's plain lines, and never says otherwise than the parser.
#include "codec/canonical_reader.h"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <string>
#include <utility>

#include "codec/json_reader.h"
#include "codec/json_writer.h"
#include "unit/codec/members.h"
#include "unit/codec/random_event.h"

namespace oomtrace::codec {
namespace {

class EveryPlainKind : public testing::TestWithParam<std::size_t> {};

INSTANTIATE_TEST_SUITE_P(Codec, EveryPlainKind, testing::Range<std::size_t>(0, std::variant_size_v<Payload>),
                         [](const testing::TestParamInfo<std::size_t>& kind) { return test_name_of(kind.param); });

TEST_P(EveryPlainKind, is_read_the_short_way) {
  RandomEvents events(static_cast<unsigned>(GetParam()), Texts::kPlain);
  for (int round = 0; round < 300; ++round) {
    const Event event = events.make(GetParam(), round % 3 == 0 ? Fill::kAll : Fill::kSome);
    const std::string line = encoded(event);
    Event read;
    ASSERT_TRUE(read_canonical(line, read)) << line;
    ASSERT_TRUE(read == event) << line << "\n" << encoded(read);
  }
}

// Lines that have their beginning, host or cgroup in common, all three, or none.
TEST_P(EveryPlainKind, is_read_alike_behind_lines_that_say_the_same) {
  RandomEvents events(2000 + static_cast<unsigned>(GetParam()), Texts::kPlain);
  const Event other = events.make(GetParam(), Fill::kAll);
  std::deque<std::string> lines;
  Repeated before;
  for (int round = 0; round < 500; ++round) {
    Event event = events.make(events.random()() % std::variant_size_v<Payload>, Fill::kSome);
    if (round % 5 > 0) event = events.make(GetParam(), round % 2 == 0 ? Fill::kAll : Fill::kSome);
    if (round % 2 > 0) event.trace_id = other.trace_id, event.boot_id = other.boot_id;
    if (round % 3 > 0) event.host_name = other.host_name, event.host_id = other.host_id;
    if (round % 7 > 0) event.wall_ns = other.wall_ns - other.wall_ns % 1'000'000'000 + round;
    std::visit(
        [&](auto& payload) {
          if constexpr (requires { payload.cgroup.path; })
            if (round % 4 > 0) payload.cgroup = {4242, round % 8 > 0 ? "/slurm/uid_1000/job_77/step_0" : "/docker/0"};
        },
        event.payload);
    const std::string& line = lines.emplace_back(encoded(event));
    Event read;
    ASSERT_TRUE(read_canonical(line, read, before)) << line;
    ASSERT_TRUE(read == event) << line << "\n" << encoded(read);
  }
}

// Each byte changed, left out and doubled: what is still taken is JSON, and what the parser makes of it.
TEST_P(EveryPlainKind, damage_is_refused_or_read_as_the_parser_does) {
  constexpr std::string_view kBytes = "0-9.e\"\\{}[],: \nax\x7f\x80";
  RandomEvents events(1000 + static_cast<unsigned>(GetParam()), Texts::kPlain);
  LineDecoder decoder;
  int taken = 0;
  for (int round = 0; round < 4; ++round) {
    const std::string line = encoded(events.make(GetParam(), Fill::kSome));
    const std::size_t step = 1 + line.size() / 400;
    for (std::size_t at = round % step; at < line.size(); at += step) {
      for (std::size_t change = 0; change < kBytes.size() + 2; ++change) {
        std::string other = line;
        if (change == kBytes.size())
          other.erase(at, 1);
        else if (change > kBytes.size())
          other.insert(at, 1, line[at]);
        else
          other[at] = kBytes[change];
        Repeated before;
        Event read;
        ASSERT_TRUE(read_canonical(line, read, before));
        const bool behind = read_canonical(other, read, before);
        ASSERT_EQ(read_canonical(other, read), behind) << other;
        if (!behind) continue;
        ++taken;
        const auto parsed = decoder.parse(other);
        ASSERT_TRUE(parsed.has_value() && parsed->has_value()) << other;
        ASSERT_TRUE(**parsed == read) << other;
      }
    }
  }
  EXPECT_GT(taken, 0);
}

TEST(CanonicalReader, what_is_refused_by_itself_is_refused_behind_others) {
  const std::string plain = R"({"boot_ns":1,"seq":2,"trace_id":"T","boot_id":"B","event":"trace.stop"})";
  for (const auto& [first, line] : {
           std::pair(R"({"trace_id":"T","boot_id":"B","event":"trace.stop"})",
                     R"({"boot_ns":1,"seq":2"trace_id":"T","boot_id":"B","event":"trace.stop"})"),
           std::pair(plain.c_str(), R"({,"trace_id":"T","boot_id":"B","event":"trace.stop"})"),
           std::pair(plain.c_str(), R"({"boot_ns":1,"seq":2,"trace_id":"T","boot_id":"B""event":"trace.stop"})"),
       }) {
    Repeated before;
    Event event;
    EXPECT_TRUE(read_canonical(first, event, before));
    EXPECT_FALSE(read_canonical(line, event)) << line;
    EXPECT_FALSE(read_canonical(line, event, before)) << line;
    EXPECT_TRUE(read_canonical(plain, event, before));
    EXPECT_EQ(event.boot_id, "B");
  }
}

TEST(CanonicalReader, leaves_other_forms_to_the_parser) {
  Event event;
  for (const char* line : {
           "",
           "{",
           "{}",
           R"({"boot_ns":1,"seq":2,"event":"process.unknown"})",
           R"({"boot_ns":1,"seq":2,"event":"trace.stop","more":1})",
           R"({"seq":2,"boot_ns":1,"event":"trace.stop"})",
           R"({"boot_ns":1, "seq":2,"event":"trace.stop"})",
           R"({"boot_ns":01,"seq":2,"event":"trace.stop"})",
           R"({"boot_ns":1.0,"seq":2,"event":"trace.stop"})",
           R"({"boot_ns":18446744073709551616,"seq":2,"event":"trace.stop"})",
           R"({"boot_ns":1,"seq":2,"event":"trace.stop","trace":{"stop_reason":"a\nb"}})",
           R"({"boot_ns":1,"seq":2,"event":"trace.stop","trace":{"stop_reason":"ä"}})",
           R"({"boot_ns":1,"seq":2,"event":"trace.stop","trace":{"stop_reason":null}})",
           R"({"boot_ns":1,"seq":2,"event":"trace.stop"}x)",
           R"({"boot_ns":1,"seq":2,"event":"trace.start","schema":"oomtrace.event/2"})",
           R"({"boot_ns":1,"seq":2,"event":"process.exec","slurm":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{}}}}}}}}})",
       })
    EXPECT_FALSE(read_canonical(line, event)) << line;
  EXPECT_TRUE(read_canonical(R"({"boot_ns":1,"seq":2,"event":"trace.stop"})", event));
}

}  // namespace
}  // namespace oomtrace::codec
