// SPDX-License-Identifier: Apache-2.0
// The line that stands for those that were refused.
#include "sink/loss.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "codec/json_writer.h"
#include "support/allocation_counter.h"

namespace oomtrace::test {
namespace {

using namespace sink;

std::string encoded(const Event& event) {
  std::array<char, codec::kMaxLineBytes> line{};
  const auto size = codec::encode_line(event, line);
  EXPECT_TRUE(size);
  return {line.data(), *size};
}

Event event_of(std::string_view host_name, std::string_view host_id) {
  Event event;
  event.boot_ns = 18707924164;
  event.seq = 4711;
  event.wall_ns = 1795547203450341760;
  event.trace_id = "199694d55b5af92b23e576d678ed4ea7";
  event.boot_id = "649cda58-92d6-41cf-a710-5deb7971905d";
  event.host_name = host_name;
  event.host_id = host_id;
  ProcessExec exec;
  exec.process.comm = "\"event\":\"x";
  event.payload = exec;
  return event;
}

TEST(RefusedLines, line_is_the_encoded_loss_in_place_of_the_last_event) {
  const LossText text{"disk", "the disk was full"};
  const std::string controls(64, '\1');
  for (const Event& event :
       {event_of("node-7", "id"), event_of("", ""), event_of(R"(a}"b\c)", "}"), event_of(controls, {})}) {
    RefusedLines refused;
    refused.note("not an event");
    refused.note(encoded(event));
    const auto line = refused.line(text);
    ASSERT_TRUE(line);
    Event lost = loss_in_place_of(event, 2, text.detail);
    std::get<TraceLost>(lost.payload).source = text.source;
    EXPECT_EQ(*line, encoded(lost));
    refused.clear();
    EXPECT_FALSE(refused.line(text));
  }
}

TEST(RefusedLines, what_is_no_event_gives_no_line) {
  for (const std::string_view line : {"", "{}", "x", R"({"seq":1,"event":"oom)"}) {
    RefusedLines refused;
    refused.note(line);
    EXPECT_EQ(refused.count(), 1U);
    EXPECT_FALSE(refused.line({"disk", "full"}));
  }
}

TEST(RefusedLines, nothing_allocates) {
  const std::string line = encoded(event_of("node-7", "id"));
  RefusedLines refused;
  const std::uint64_t before = allocations();
  for (int i = 0; i < 100; ++i) refused.note(line);
  const bool told = refused.line({"disk", "the disk was full, or failed"}).has_value();
  EXPECT_EQ(allocations(), before);
  EXPECT_TRUE(told);
}

}  // namespace
}  // namespace oomtrace::test
