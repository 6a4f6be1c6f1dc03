// SPDX-License-Identifier: Apache-2.0
// What is encoded decodes to the same event, for every kind and any members.
#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

#include "base/text.h"
#include "codec/json_reader.h"
#include "codec/json_writer.h"
#include "unit/codec/members.h"
#include "unit/codec/random_event.h"

namespace oomtrace::codec {
namespace {

class EveryKind : public testing::TestWithParam<std::size_t> {};

INSTANTIATE_TEST_SUITE_P(Codec, EveryKind, testing::Range<std::size_t>(0, std::variant_size_v<Payload>),
                         [](const testing::TestParamInfo<std::size_t>& kind) { return test_name_of(kind.param); });

// Compares both ways round, and the second encoding with the first.
void expect_round_trip(LineDecoder& decoder, const Event& event) {
  const std::string line = encoded(event);
  const auto decoded = decoder.decode(line);
  ASSERT_TRUE(decoded.has_value()) << decoded.error().context << "\n" << line;
  ASSERT_TRUE(decoded->has_value()) << line;
  ASSERT_TRUE(**decoded == event) << line << "\n" << encoded(**decoded);
  ASSERT_EQ(encoded(**decoded), line);
}

TEST_P(EveryKind, goes_both_ways_with_no_member_set) {
  LineDecoder decoder;
  Event event;
  event.payload = payload_of(GetParam());
  expect_round_trip(decoder, event);
}

TEST_P(EveryKind, goes_both_ways_with_all_members_set) {
  LineDecoder decoder;
  RandomEvents events(static_cast<unsigned>(GetParam()));
  for (int round = 0; round < 50; ++round) expect_round_trip(decoder, events.make(GetParam(), Fill::kAll));
}

TEST_P(EveryKind, goes_both_ways_with_any_members_set) {
  LineDecoder decoder;
  RandomEvents events(100 + static_cast<unsigned>(GetParam()));
  for (int round = 0; round < 500; ++round) expect_round_trip(decoder, events.make(GetParam(), Fill::kSome));
}

template <class Tuple, std::size_t... I>
void expect_all_differ(const Tuple& filled, const Tuple& defaults, std::index_sequence<I...>) {
  const auto check = [](std::size_t index, bool same) {
    EXPECT_FALSE(same) << "member " << index << " is not described";
  };
  (check(I, std::get<I>(filled) == std::get<I>(defaults)), ...);
}
template <class T>
void expect_all_members_described(const T& filled) {
  const T defaults;
  const auto a = members(filled);
  expect_all_differ(a, members(defaults), std::make_index_sequence<std::tuple_size_v<decltype(a)>>());
}

TEST_P(EveryKind, describes_every_member) {
  RandomEvents events(7);
  const Event event = events.make(GetParam(), Fill::kAll);
  std::visit([](const auto& payload) { expect_all_members_described(payload); }, event.payload);
  if (const auto* kill = std::get_if<OomKill>(&event.payload)) expect_all_members_described(kill->decision);
}

TEST(Codec, kinds_have_names_of_their_own) {
  std::set<std::string_view> names;
  for (std::size_t kind = 0; kind < std::variant_size_v<Payload>; ++kind) {
    Event event;
    event.payload = payload_of(kind);
    const std::string_view name = event_kind_name(event);
    EXPECT_NE(name.find('.'), std::string_view::npos);
    EXPECT_TRUE(names.insert(name).second) << name;
  }
}

TEST(Codec, bytes_that_are_no_utf8_become_replacement_characters) {
  LineDecoder decoder;
  Event event;
  ProcessExec& exec = event.payload.emplace<ProcessExec>();
  exec.process.comm = "a\xFF\xC3(";
  exec.command_line = "x \xED\xA0\x80 y";
  const std::string line = encoded(event);
  const auto decoded = decoder.decode(line);
  ASSERT_TRUE(decoded.has_value() && decoded->has_value());
  const auto& read = std::get<ProcessExec>((**decoded).payload);
  EXPECT_EQ(read.process.comm, make_utf8(exec.process.comm));
  EXPECT_EQ(read.command_line, make_utf8(exec.command_line));
}

TEST(Codec, one_decoder_serves_lines_of_all_kinds_in_any_order) {
  LineDecoder decoder;
  RandomEvents events(42);
  for (int round = 0; round < 3000; ++round) {
    expect_round_trip(decoder, events.make(events.random()() % std::variant_size_v<Payload>, Fill::kSome));
  }
}

}  // namespace
}  // namespace oomtrace::codec
