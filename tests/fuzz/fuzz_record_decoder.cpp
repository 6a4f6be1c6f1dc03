// SPDX-License-Identifier: Apache-2.0
// Any bytes as ring records, one behind the other: each is refused or becomes an event whose line reads back the same.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>

#include "codec/json_reader.h"
#include "codec/json_writer.h"
#include "codec/record_decoder.h"

namespace {

using namespace oomtrace;
using namespace oomtrace::codec;

void check(bool holds) {
  if (!holds) std::abort();
}

std::string_view symbol_name(const void*, std::uint64_t address) {
  return address % 3 == 0 ? std::string_view() : address % 3 == 1 ? "bpf_trace_run2" : "out_of_memory";
}

std::string encode(const Event& event) {
  static std::array<char, kMaxLineBytes> line;
  const auto size = encode_line(event, line);
  check(size.has_value());
  return {line.data(), *size};
}

// The first line may hold bytes that were no UTF-8, or be shortened; what it reads back as must not change any more.
void check_line(const Event& event) {
  static LineDecoder decoder;
  const std::string first = encode(event);
  auto decoded = decoder.decode(first);
  check(decoded.has_value() && decoded->has_value());
  const std::string second = encode(**decoded);
  decoded = decoder.decode(second);
  check(decoded.has_value() && decoded->has_value());
  check(encode(**decoded) == second);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static DecodeContext context;
  context.cgroups = CgroupNames(32, 4096);
  context.symbol_name = symbol_name;
  for (int records = 0; records < 16 && size > 0; ++records) {
    std::uint32_t length = 0;
    if (size >= sizeof(oomtrace_header)) std::memcpy(&length, data + offsetof(oomtrace_header, size), sizeof(length));
    if (length == 0 || length > size) length = static_cast<std::uint32_t>(size);
    // A block of its own, so that reading behind it shows.
    const auto block = std::make_unique<std::byte[]>(length);
    std::memcpy(block.get(), data, length);
    Event event;
    const auto decoded = decode_record({block.get(), length}, context, event);
    if (decoded && *decoded) check_line(event);
    data += length;
    size -= length;
  }
  return 0;
}
