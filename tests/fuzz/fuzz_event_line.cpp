// SPDX-License-Identifier: Apache-2.0
// Any bytes as an event line: refused, passed over, or an event that encodes to a line which reads back the same.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "codec/canonical_reader.h"
#include "codec/json_reader.h"
#include "codec/json_writer.h"

namespace {

using namespace oomtrace;
using namespace oomtrace::codec;

void check(bool holds) {
  if (!holds) std::abort();
}

std::string encode(const Event& event) {
  static std::array<char, kMaxLineBytes> line;
  const auto size = encode_line(event, line);
  check(size.has_value());
  check(std::string_view(line.data(), *size).find('\n') == std::string_view::npos);
  return {line.data(), *size};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static LineDecoder decoder;
  const auto block = std::make_unique<char[]>(size);
  std::copy(data, data + size, block.get());
  auto event = decoder.decode({block.get(), size});
  // The short way for our own lines may not differ from the parser.
  static LineDecoder parser;
  const auto parsed = parser.parse({block.get(), size});
  check(event.has_value() == parsed.has_value());
  check(!event || event->has_value() == parsed->has_value());
  if (event && *event) check(encode(**event) == encode(**parsed));
  // Nor may what it remembers of a line.
  Repeated before;
  Event once, again;
  if (read_canonical({block.get(), size}, once, before)) {
    check(read_canonical({block.get(), size}, again, before));
    check(encode(once) == encode(again) && encode(once) == encode(**parsed));
  }
  if (!event) {
    check(!event.error().context.empty());
    return 0;
  }
  if (!event->has_value()) return 0;
  // A line that had to be shortened may say so only once.
  const std::string first = encode(**event);
  event = decoder.decode(first);
  check(event.has_value() && event->has_value());
  const std::string second = encode(**event);
  event = decoder.decode(second);
  check(event.has_value() && event->has_value());
  check(encode(**event) == second);
  return 0;
}
