// SPDX-License-Identifier: Apache-2.0
// Records that are cut, lying, unknown or from a later version.
#include <gtest/gtest.h>

#include <memory>
#include <random>

#include "codec/record_decoder.h"
#include "unit/codec/records.h"

namespace oomtrace::codec {
namespace {

// Bytes in a block of exactly their size: what reads behind them is seen by the address sanitizer.
Result<bool> decode_exact(std::span<const std::byte> bytes, DecodeContext& context, Event& event) {
  const auto block = std::make_unique<std::byte[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), block.get());
  return decode_record({block.get(), bytes.size()}, context, event);
}

void set_size(std::vector<std::byte>& record, std::uint32_t size) {
  std::memcpy(record.data() + offsetof(oomtrace_header, size), &size, sizeof(size));
}

TEST(HostileRecord, there_is_a_sample_of_every_kind) {
  const auto records = sample_records();
  ASSERT_EQ(records.size(), static_cast<std::size_t>(OOMTRACE_KIND_MAX - 1));
  for (std::size_t i = 0; i < records.size(); ++i) {
    oomtrace_header header;
    std::memcpy(&header, records[i].data(), sizeof(header));
    EXPECT_EQ(header.kind, i + 1);
    DecodeContext context;
    Event event;
    EXPECT_TRUE(decode_exact(records[i], context, event).has_value()) << i + 1;
  }
}

TEST(HostileRecord, every_record_cut_at_every_byte_is_refused) {
  DecodeContext context;
  Event event;
  for (const auto& record : sample_records()) {
    for (std::size_t size = 0; size < record.size(); ++size) {
      std::vector<std::byte> cut(record.begin(), record.begin() + static_cast<std::ptrdiff_t>(size));
      ASSERT_FALSE(decode_exact(cut, context, event).has_value());  // says more than there is
      if (size < sizeof(oomtrace_header)) continue;
      set_size(cut, static_cast<std::uint32_t>(size));
      const auto decoded = decode_exact(cut, context, event);  // says what there is: too short for its kind
      ASSERT_FALSE(decoded.has_value());
      ASSERT_EQ(decoded.error().code, Errc::kInput);
    }
  }
}

TEST(HostileRecord, longer_records_of_a_later_version_are_read_by_their_known_prefix) {
  DecodeContext context;
  for (auto record : sample_records()) {
    Event before;
    const auto expected = decode_exact(record, context, before);
    record.resize(record.size() + 100, std::byte{0xFF});
    set_size(record, static_cast<std::uint32_t>(record.size()));
    Event event;
    const auto decoded = decode_exact(record, context, event);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(*decoded, *expected);
    EXPECT_EQ(event.payload.index(), before.payload.index());
  }
}

TEST(HostileRecord, what_follows_a_record_is_not_part_of_it) {
  DecodeContext context;
  Event event;
  auto record = sample_records()[OOMTRACE_KIND_REAPED - 1];
  record.resize(record.size() + 100, std::byte{0xFF});
  EXPECT_TRUE(decode_exact(record, context, event).has_value());
}

TEST(HostileRecord, unknown_kinds_are_refused) {
  DecodeContext context;
  Event event;
  for (const unsigned kind : {0U, static_cast<unsigned>(OOMTRACE_KIND_MAX), 500U, 65535U}) {
    auto record = sample_records()[0];
    const auto raw = static_cast<__u16>(kind);
    std::memcpy(record.data() + offsetof(oomtrace_header, kind), &raw, sizeof(raw));
    const auto decoded = decode_exact(record, context, event);
    ASSERT_FALSE(decoded.has_value()) << kind;
    EXPECT_EQ(decoded.error().context, "unknown kind");
  }
}

TEST(HostileRecord, any_bytes_behind_a_good_header_are_survived) {
  std::mt19937_64 random(9);
  DecodeContext context;
  context.symbol_name = [](const void*, std::uint64_t address) {
    return address % 2 == 0 ? std::string_view("even") : std::string_view();
  };
  const auto records = sample_records();
  for (int round = 0; round < 4000; ++round) {
    auto record = records[random() % records.size()];
    for (std::size_t i = sizeof(oomtrace_header) - 8; i < record.size(); ++i) {
      if (random() % 2 == 0) record[i] = static_cast<std::byte>(random());
    }
    Event event;
    ASSERT_TRUE(decode_exact(record, context, event).has_value());
  }
}

}  // namespace
}  // namespace oomtrace::codec
