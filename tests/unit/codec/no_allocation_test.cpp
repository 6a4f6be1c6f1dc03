// SPDX-License-Identifier: Apache-2.0
// From a record to its line nothing allocates: not for a kill, not for any other kind.
#include <gtest/gtest.h>

#include <array>

#include "codec/json_writer.h"
#include "codec/record_decoder.h"
#include "support/allocation_counter.h"
#include "unit/codec/records.h"

namespace oomtrace::codec {
namespace {

TEST(NoAllocation, decoding_and_encoding_every_record_kind) {
  const auto records = sample_records();
  DecodeContext context;
  context.symbol_name = [](const void*, std::uint64_t) { return std::string_view("do_exit"); };
  Event event;
  std::array<char, kMaxLineBytes> line{};
  std::size_t encoded = 0;
  test::NoHeap no_heap;
  for (int round = 0; round < 3; ++round) {
    for (const auto& record : records) {
      const auto decoded = decode_record(record, context, event);
      if (decoded && *decoded && encode_line(event, line)) ++encoded;
    }
  }
  EXPECT_EQ(no_heap.end(), 0U);
  EXPECT_EQ(encoded, 3 * (records.size() - 1));  // a cgroup's path is no event
}

TEST(NoAllocation, lines_that_must_be_shortened) {
  oomtrace_oom_kill record = sample_kill();
  record.stack_len = OOMTRACE_STACK_DEPTH;
  DecodeContext context;
  static const std::string long_name(2000, '\x01');
  context.symbol_name = [](const void*, std::uint64_t) { return std::string_view(long_name); };
  Event event;
  std::array<char, kMaxLineBytes> line{};
  test::NoHeap no_heap;
  const bool done = decode_record(bytes_of(record), context, event) && encode_line(event, line);
  EXPECT_EQ(no_heap.end(), 0U);
  EXPECT_TRUE(done);
}

TEST(NoAllocation, learning_any_number_of_cgroups) {
  CgroupNames names(64, 4096);
  auto record = sample_cgroup(1, {"system.slice", "x.service"});
  test::NoHeap no_heap;
  for (std::uint64_t id = 1; id < 2000; ++id) {
    record.id = id;
    record.name[0][0] = static_cast<char>('a' + id % 26);
    names.learn(record);
  }
  EXPECT_EQ(no_heap.end(), 0U);
  EXPECT_GT(names.forgotten(), 0U);
}

}  // namespace
}  // namespace oomtrace::codec
