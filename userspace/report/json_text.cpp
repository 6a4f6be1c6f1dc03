// SPDX-License-Identifier: Apache-2.0
// Text and numbers as JSON may carry them.
#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "base/text.h"
#include "base/utf8.h"
#include "report/json_value.h"

namespace oomtrace {

namespace {

bool steers(std::string_view character) { return escape_terminal(character) != character; }

void append_utf16_escape(std::string& out, char32_t value) {
  auto number = static_cast<std::uint32_t>(value);
  if (number < 0x10000) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", number);
    return;
  }
  number -= 0x10000;
  fmt::format_to(std::back_inserter(out), "\\u{:04x}\\u{:04x}", 0xD800 + (number >> 10U), 0xDC00 + (number & 0x3FFU));
}

}  // namespace

Json json_value(std::string_view text) { return make_utf8(text); }

Json json_value(double number) { return std::isfinite(number) ? Json(number) : Json(nullptr); }

Json json_texts(const std::vector<std::string>& texts) {
  return json_array(texts, [](const std::string& text) { return json_value(text); });
}

std::string escape_steering_characters(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t at = 0; at < json.size();) {
    const auto byte = static_cast<unsigned char>(json[at]);
    if (byte < 0x7F) {
      out += json[at++];
      continue;
    }
    const CodePoint point = decode_utf8(json.substr(at));
    const std::string_view character = json.substr(at, point.size);
    if (point.valid && steers(character)) {
      append_utf16_escape(out, point.value);
    } else {
      out.append(character);
    }
    at += point.size;
  }
  return out;
}

}  // namespace oomtrace
