// SPDX-License-Identifier: Apache-2.0
// gzip files as the bytes that they hold.
#include "cli/input_gzip.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

namespace oomtrace::cli {
namespace {

std::string pack(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string in = text, out(compressBound(text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Result<std::string> read_all(trace::ByteSource& source, std::size_t piece_size) {
  std::string text, piece(piece_size, '\0');
  for (;;) {
    const auto got = source.read(piece);
    if (!got) return tl::make_unexpected(got.error());
    if (*got == 0) return text;
    text.append(piece, 0, *got);
  }
}

Result<std::string> unpack(const std::string& packed, std::size_t piece_size = 4096) {
  GunzipSource source(std::make_unique<trace::MemorySource>(packed));
  return read_all(source, piece_size);
}

std::string long_text() {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "line " + std::to_string(i * 7919) + "\n";
  return text;
}

TEST(Gzip, is_told_by_its_magic_number) {
  EXPECT_TRUE(is_gzip(pack("a")));
  EXPECT_FALSE(is_gzip("[    0.000000] Linux version"));
  EXPECT_FALSE(is_gzip(""));
}

TEST(Gzip, gives_back_the_text_in_pieces_of_any_size) {
  const std::string text = long_text(), packed = pack(text);
  EXPECT_EQ(*unpack(packed), text);
  EXPECT_EQ(*unpack(packed, 7), text);
}

TEST(Gzip, that_inflates_without_end_is_refused) {
  std::string packed, piece(std::size_t{1} << 20, '\0');
  const std::string member = pack(std::string(std::size_t{1} << 20, '\n'));
  for (int i = 0; i < 300; ++i) packed += member;
  GunzipSource source(std::make_unique<trace::MemorySource>(packed));
  std::uint64_t read = 0;
  for (;;) {
    const auto got = source.read(piece);
    if (!got) {
      EXPECT_EQ(got.error().code, Errc::kInput);
      EXPECT_NE(got.error().context.find("inflates to more than 200 times"), std::string::npos);
      break;
    }
    ASSERT_GT(*got, 0u);
    read += *got;
  }
  EXPECT_EQ(read >> 20, 256u);
}

TEST(Gzip, of_several_members_is_one_text_and_padding_behind_them_is_none) {
  EXPECT_EQ(*unpack(pack("one ") + pack("two")), "one two");
  EXPECT_EQ(*unpack(pack("one") + std::string(512, '\0')), "one");
}

TEST(Gzip, cut_off_ends_where_it_is_cut) {
  const std::string text = long_text(), packed = pack(text);
  const auto cut = unpack(packed.substr(0, packed.size() / 2));
  ASSERT_TRUE(cut.has_value());
  EXPECT_GT(cut->size(), text.size() / 4);
  EXPECT_EQ(*cut, text.substr(0, cut->size()));
}

TEST(Gzip, damaged_is_an_error) {
  std::string packed = pack(long_text());
  for (std::size_t i = 5000; i < 5100; ++i) packed[i] = static_cast<char>(packed[i] ^ 0x5a);
  const auto text = unpack(packed);
  ASSERT_FALSE(text.has_value());
  EXPECT_EQ(text.error().code, Errc::kInput);
}

TEST(Gzip, can_be_read_again_from_its_start) {
  const std::string text = long_text(), packed = pack(text);
  GunzipSource source(std::make_unique<trace::MemorySource>(packed));
  EXPECT_EQ(*read_all(source, 999), text);
  ASSERT_TRUE(source.rewind());
  EXPECT_EQ(*read_all(source, 4096), text);
}

}  // namespace
}  // namespace oomtrace::cli
