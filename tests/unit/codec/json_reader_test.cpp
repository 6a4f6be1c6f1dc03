// SPDX-License-Identifier: Apache-2.0
// What pipelines do to lines, and what nobody should do to them.
#include "codec/json_reader.h"

#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "codec/json_writer.h"
#include "unit/codec/random_event.h"

namespace oomtrace::codec {
namespace {

using nlohmann::json;

class DecodeLine : public testing::Test {
 protected:
  Event decode(std::string_view line) {
    auto event = decoder_.decode(line);
    EXPECT_TRUE(event.has_value()) << event.error().context;
    EXPECT_TRUE(event.has_value() && event->has_value()) << line;
    return event.has_value() && event->has_value() ? **event : Event{};
  }
  Error refusal(std::string_view line) {
    const auto event = decoder_.decode(line);
    EXPECT_FALSE(event.has_value()) << line;
    return event.has_value() ? Error{} : event.error();
  }
  template <class T>
  T payload(std::string_view line) {
    return std::get<T>(decode(line).payload);
  }

  LineDecoder decoder_;
};

TEST_F(DecodeLine, numbers_may_have_become_floats_or_text) {
  const auto e = payload<ProcessMemory>(
      R"({"event":"process.memory","process":{"pid":4242.0,"parent_pid":"7","user":{"id":1e3}},)"
      R"("memory":{"anon_bytes":"-4096","total_vm_bytes":"18446744073709551615","file_bytes":8192.0}})");
  EXPECT_EQ(e.process.pid, 4242U);
  EXPECT_EQ(e.parent_pid, 7U);
  EXPECT_EQ(e.uid, 1000U);
  EXPECT_EQ(e.memory->anon, -4096);
  EXPECT_EQ(e.memory->file, 8192);
  EXPECT_EQ(e.memory->total_vm, UINT64_MAX);
}

TEST_F(DecodeLine, pressure_may_be_whole_or_text) {
  const auto e = payload<SystemPressure>(
      R"({"event":"system.pressure","system":{"pressure":{"some":{"avg10":5,"avg60":"1.25","avg300":0.5}}}})");
  EXPECT_EQ(e.some->avg10, 5);
  EXPECT_EQ(e.some->avg60, 1.25);
  EXPECT_EQ(e.some->avg300, 0.5);
}

TEST_F(DecodeLine, null_is_not_known) {
  const auto e = payload<ProcessExec>(
      R"({"event":"process.exec","process":{"pid":null,"parent_pid":null,"comm":null},"cgroup":null,"host":null})");
  EXPECT_EQ(e.process.pid, 0U);
  EXPECT_EQ(e.parent_pid, std::nullopt);
}

TEST_F(DecodeLine, flags_may_have_become_text) {
  EXPECT_TRUE(payload<SignalKill>(R"({"event":"signal.kill","signal":{"from_kernel":"true"}})").from_kernel);
  EXPECT_FALSE(payload<SignalKill>(R"({"event":"signal.kill","signal":{"from_kernel":"false"}})").from_kernel);
  EXPECT_EQ(refusal(R"({"event":"signal.kill","signal":{"from_kernel":"maybe"}})").code, Errc::kInput);
}

TEST_F(DecodeLine, members_in_any_order_among_any_others) {
  json line = json::parse(
      R"({"event":"process.exec","zz":{"a":[1,{"b":2}]},"process":{"zz":1,"command_line":"c","pid":5},"aa":null,"seq":9})");
  const Event event = decode(line.dump());  // sorts by name
  EXPECT_EQ(event.seq, 9U);
  EXPECT_EQ(std::get<ProcessExec>(event.payload).process.pid, 5U);
  EXPECT_EQ(std::get<ProcessExec>(event.payload).command_line, "c");
}

TEST_F(DecodeLine, host_may_be_the_name_that_a_shipper_put_there) {
  EXPECT_EQ(decode(R"({"event":"oom.end","host":"node1"})").host_name, "node1");
}

TEST_F(DecodeLine, white_space_and_line_ends_around_do_not_matter) {
  EXPECT_EQ(decode(" {\"event\" : \"oom.end\"} \r\n").payload.index(), Payload(OomEnd{}).index());
}

TEST_F(DecodeLine, kinds_and_words_of_a_later_version_are_passed_over) {
  const auto unknown = decoder_.decode(R"({"event":"system.gpu","x":1})");
  ASSERT_TRUE(unknown.has_value());
  EXPECT_FALSE(unknown->has_value());
  EXPECT_EQ(payload<OomKill>(R"({"event":"oom.kill","oom":{"domain":"galaxy"}})").decision.domain,
            DomainKind::kUnknown);
}

TEST_F(DecodeLine, a_later_major_version_is_refused_by_name) {
  for (const char* schema : {"oomtrace.event/2", "oomtrace.event/17", "oomtrace.event/99999999999999"}) {
    const Error error = refusal(std::string(R"({"event":"trace.start","schema":")") + schema + R"("})");
    EXPECT_EQ(error.code, Errc::kSchemaTooNew);
    EXPECT_NE(error.context.find(schema), std::string::npos);
    EXPECT_FALSE(error.hint.empty());
  }
  EXPECT_EQ(refusal(R"({"event":"brand.new","schema":"oomtrace.event/2"})").code, Errc::kSchemaTooNew);
  decode(R"({"event":"trace.start","schema":"oomtrace.event/1"})");
  decode(R"({"event":"trace.start","schema":"somebody.else/2"})");
}

TEST_F(DecodeLine, a_wrong_type_is_named_by_its_path) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"event":"process.exec","process":{"pid":"x"}})", "process.pid"},
      {R"({"event":"process.exec","process":{"pid":-1}})", "process.pid"},
      {R"({"event":"process.exec","process":{"pid":4294967296}})", "process.pid"},
      {R"({"event":"process.exec","process":{"pid":1.5}})", "process.pid"},
      {R"({"event":"process.exec","process":{"pid":true}})", "process.pid"},
      {R"({"event":"process.exec","process":{"pid":[1]}})", "process.pid"},
      {R"({"event":"process.exec","process":7})", "process"},
      {R"({"event":"process.exec","process":{"comm":7}})", "process.comm"},
      {R"({"event":"process.exec","process":{"user":{"id":{}}}})", "process.user.id"},
      {R"({"event":"process.info","process":{"libraries":"x"}})", "process.libraries"},
      {R"({"event":"process.info","process":{"libraries":[1]}})", "process.libraries"},
      {R"({"event":"process.info","process":{"environment":{"A":1}}})", "process.environment"},
      {R"({"event":"system.mounts","system":{"mounts":[{"size_bytes":"x"}]}})", "system.mounts.size_bytes"},
      {R"({"event":"system.mounts","system":{"mounts":[1]}})", "system.mounts"},
      {R"({"event":"oom.end","seq":1e30})", "seq"},
      {R"({"event":"oom.end","seq":-0.5})", "seq"},
  };
  for (const auto& [line, path] : cases) {
    const Error error = refusal(line);
    EXPECT_EQ(error.code, Errc::kInput);
    EXPECT_NE(error.context.find("member " + std::string(path) + " is"), std::string::npos) << line << "\n"
                                                                                            << error.context;
  }
}

TEST_F(DecodeLine, what_is_no_event_is_refused) {
  for (const char* line :
       {"", "{", "[]", "7", "\"event\"", "{}", R"({"event":7})", R"({"event":""})", R"({"event":null})",
        R"({"event":"oom.end"} x)", R"({"event":"oom.end","seq":18446744073709551616})",
        R"({"event":"oom.end"}{"event":"oom.end"})", "\xFF", "{\"event\":\"oom.end\",\"x\":\"\xFF\"}",
        "Nov 24 kernel: Out of memory"}) {
    EXPECT_EQ(refusal(line).code, Errc::kInput) << line;
  }
}

TEST_F(DecodeLine, depth_and_length_are_bounded) {
  EXPECT_EQ(refusal(R"({"event":"oom.end","x":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}").code,
            Errc::kInput);
  EXPECT_EQ(refusal(R"({"event":"oom.end","x":")" + std::string(1'000'000, 'x') + "\"}").code, Errc::kInput);
  std::string many = R"({"event":"process.info","process":{"libraries":["a")";
  for (int i = 0; i < 20'000; ++i) many += ",\"a\"";
  EXPECT_EQ(refusal(many + "]}}").code, Errc::kInput);
  decode(R"({"event":"oom.end","x":")" + std::string(100'000, 'x') + "\"}");  // a pipeline's own member
}

TEST_F(DecodeLine, a_stack_longer_than_its_place_is_cut) {
  std::string line = R"({"event":"oom.kill","oom":{"trigger":{"stack":["f")";
  for (int i = 0; i < 100; ++i) line += ",\"g\"";
  line += "]}}}";  // the event views it
  const auto e = payload<OomKill>(line);
  EXPECT_EQ(e.decision.stack.size(), kMaxStackFrames);
  EXPECT_EQ(e.decision.stack[0], "f");
}

TEST_F(DecodeLine, every_prefix_of_a_line_is_refused) {
  RandomEvents events(5);
  std::array<char, kMaxLineBytes> out{};
  for (std::size_t kind = 0; kind < std::variant_size_v<Payload>; ++kind) {
    const std::size_t size = *encode_line(events.make(kind, Fill::kAll), out);
    for (std::size_t cut = 0; cut < size; ++cut) ASSERT_FALSE(decoder_.decode({out.data(), cut}).has_value());
  }
}

TEST_F(DecodeLine, damaged_lines_are_survived) {
  RandomEvents events(6);
  std::array<char, kMaxLineBytes> out{};
  for (int round = 0; round < 20'000; ++round) {
    const std::size_t kind = events.random()() % std::variant_size_v<Payload>;
    const std::size_t size = *encode_line(events.make(kind, Fill::kSome), out);
    for (int hits = 0; hits < 3; ++hits) out[events.random()() % size] = static_cast<char>(events.random()());
    (void)decoder_.decode({out.data(), size});
  }
  decode(R"({"event":"oom.end"})");
}

TEST_F(DecodeLine, a_refused_line_leaves_the_decoder_usable) {
  refusal("{\"event\":");
  EXPECT_EQ(decode(R"({"event":"oom.end","seq":3})").seq, 3U);
}

}  // namespace
}  // namespace oomtrace::codec
