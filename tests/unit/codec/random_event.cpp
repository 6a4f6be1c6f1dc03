// SPDX-License-Identifier: Apache-2.0
// Arbitrary events and texts.
#include "unit/codec/random_event.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/utf8.h"
#include "codec/json_writer.h"

namespace oomtrace::codec {

namespace {

template <std::size_t... I>
Payload payload_at(std::size_t kind, std::index_sequence<I...>) {
  Payload payload;
  ((kind == I ? (void)payload.emplace<I>() : void()), ...);
  return payload;
}

}  // namespace

Payload payload_of(std::size_t kind) {
  return payload_at(kind, std::make_index_sequence<std::variant_size_v<Payload>>());
}

std::string test_name_of(std::size_t kind) {
  std::string name(kEventKinds[kind]);
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

std::string encoded(const Event& event) {
  std::array<char, kMaxLineBytes> line{};
  return {line.data(), encode_line(event, line).value()};
}

std::string_view RandomEvents::any_text() {
  constexpr char32_t kNasty[] = {0,   1,    '\n', '\r',   '\t',   0x1B,   '"',    '\\',
                                 '/', 0x7F, 0x9B, 0x202E, 0x2028, 0xFFFD, 0x1F600};
  std::string& text = texts_.emplace_back();
  if (random_() % 10 == 0) {
    text = random_() % 2 == 0 ? "/kubepods/pod01234567-89ab-cdef-0123-456789abcdef/" + std::string(64, 'c')
                              : "/slurm/uid_1000/job_4711/step_0/task_1";
    return text;
  }
  for (std::size_t n = random_() % 15; n > 0; --n) {
    char bytes[4];
    const char32_t value = kind_ == Texts::kAny && random_() % 3 == 0 ? kNasty[random_() % std::size(kNasty)]
                                                                      : static_cast<char32_t>('a' + random_() % 26);
    text.append(bytes, encode_utf8(value, bytes));
  }
  return text;
}

Event RandomEvents::make(std::size_t kind, Fill fill) {
  Event event;
  event.payload = payload_of(kind);
  Filler filler(*this, fill);
  filler.number("boot_ns", event.boot_ns);
  filler.number("seq", event.seq);
  filler.number("ts", event.wall_ns);
  filler.text("trace_id", event.trace_id);
  filler.text("boot_id", event.boot_id);
  filler.text("host.name", event.host_name);
  filler.text("host.id", event.host_id);
  std::visit([&](auto& payload) { describe(filler, payload); }, event.payload);
  return event;
}

}  // namespace oomtrace::codec
