// SPDX-License-Identifier: Apache-2.0
// The cursor never leaves its bytes and never moves for what does not fit.
#include "base/byte_reader.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>

namespace oomtrace {
namespace {

struct Pair {
  std::uint32_t a;
  std::uint16_t b;
  char name[4];
};

std::array<std::byte, 12> sample() {
  std::array<std::byte, 12> bytes{};
  const Pair pair{0x01020304, 5, {'a', 'b', 'c', 'd'}};
  std::memcpy(bytes.data(), &pair, offsetof(Pair, name) + sizeof(pair.name));  // padding has no value
  return bytes;
}

TEST(ByteReader, reads_structs_from_unaligned_places) {
  std::array<std::byte, 13> shifted{};
  const auto bytes = sample();
  std::memcpy(shifted.data() + 1, bytes.data(), bytes.size());
  ByteReader reader(shifted);
  ASSERT_TRUE(reader.skip(1));
  Pair pair{};
  ASSERT_TRUE(reader.read(pair));
  EXPECT_EQ(pair.a, 0x01020304U);
  EXPECT_EQ(pair.b, 5);
  EXPECT_EQ(reader.remaining(), 0U);
}

TEST(ByteReader, refuses_what_is_cut_and_stays_where_it_is) {
  const auto bytes = sample();
  for (std::size_t size = 0; size < sizeof(Pair); ++size) {
    ByteReader reader(std::span<const std::byte>(bytes).first(size));
    Pair pair{};
    EXPECT_FALSE(reader.read(pair)) << size;
    EXPECT_EQ(reader.offset(), 0U);
    EXPECT_EQ(reader.remaining(), size);
  }
}

TEST(ByteReader, survives_offsets_that_would_wrap) {
  const auto bytes = sample();
  ByteReader reader(bytes);
  std::uint32_t value = 0;
  EXPECT_FALSE(reader.copy_at(std::numeric_limits<std::size_t>::max(), value));
  EXPECT_FALSE(reader.copy_at(bytes.size() - 3, value));
  EXPECT_FALSE(reader.skip(std::numeric_limits<std::size_t>::max()));
  EXPECT_FALSE(reader.take(bytes.size() + 1).has_value());
  EXPECT_EQ(reader.text_at(std::numeric_limits<std::size_t>::max(), 8), "");
  EXPECT_EQ(reader.offset(), 0U);
}

TEST(ByteReader, bounds_text_by_nul_field_and_bytes) {
  const auto bytes = sample();
  ByteReader reader(bytes);
  const std::size_t name = offsetof(Pair, name);
  EXPECT_EQ(reader.text_at(name, 4), "abcd");  // no NUL inside of the field
  EXPECT_EQ(reader.text_at(name, 2), "ab");
  EXPECT_EQ(reader.text_at(name, 6), "abcd");  // NUL behind it
  ByteReader cut(std::span<const std::byte>(bytes).first(name + 3));
  EXPECT_EQ(cut.text_at(name, 4), "abc");
}

TEST(ByteReader, takes_parts_in_order) {
  const auto bytes = sample();
  ByteReader reader(bytes);
  const auto part = reader.take(6);
  ASSERT_TRUE(part.has_value());
  EXPECT_EQ(part->size(), 6U);
  EXPECT_EQ(part->data(), bytes.data());
  EXPECT_EQ(reader.offset(), 6U);
}

}  // namespace
}  // namespace oomtrace
