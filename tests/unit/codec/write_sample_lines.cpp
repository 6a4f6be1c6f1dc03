// SPDX-License-Identifier: Apache-2.0
// Prints lines of every kind, with no member, with all and with any of them: what the published schema must describe.
#include <array>
#include <cstdio>
#include <string>

#include "codec/json_writer.h"
#include "unit/codec/random_event.h"

namespace {

using namespace oomtrace;
using namespace oomtrace::codec;

bool print(const Event& event) {
  std::array<char, kMaxLineBytes + 1> line{};
  const auto size = encode_line(event, std::span(line).first(kMaxLineBytes));
  if (!size) return false;
  line[*size] = '\n';
  return std::fwrite(line.data(), 1, *size + 1, stdout) == *size + 1;
}

}  // namespace

int main() {
  RandomEvents events(2026);
  const std::string long_text(10'000, '\\');
  bool good = true;
  for (std::size_t kind = 0; kind < std::variant_size_v<Payload>; ++kind) {
    Event event;
    event.payload = payload_of(kind);
    good = good && print(event);
    event.host_name = long_text;
    good = good && print(event);
    for (int i = 0; i < 20; ++i) good = good && print(events.make(kind, Fill::kAll));
    for (int i = 0; i < 100; ++i) good = good && print(events.make(kind, Fill::kSome));
  }
  // Of arbitrary wait statuses hardly one is an exit.
  ProcessExit exit;
  exit.wait_status = 0x100;
  Event ended;
  ended.payload = exit;
  good = good && print(ended);
  return good ? 0 : 1;
}
