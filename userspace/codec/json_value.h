// SPDX-License-Identifier: Apache-2.0
// Values of a parsed line as the types of an event, tolerant of what pipelines do to numbers.
#pragma once

#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

namespace oomtrace::codec {

// A whole number that the type holds.
template <class T>
bool whole_number(double value, T& out) {
  if (!std::isfinite(value) || value != std::trunc(value)) return false;
  // The largest values are no doubles: one past them is.
  if (value < static_cast<double>(std::numeric_limits<T>::min()) ||
      value >= std::ldexp(1.0, std::numeric_limits<T>::digits))
    return false;
  out = static_cast<T>(value);
  return true;
}

template <class T>
bool parse_whole(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

// Numbers as such, as floating point ("4096.0") and as text ("4096"); false leaves `out` unspecified.
template <class T>
bool read_number(const simdjson::dom::element& value, T& out) {
  using simdjson::dom::element_type;
  switch (value.type()) {
    case element_type::INT64: {
      const std::int64_t number = value.get_int64().value_unsafe();
      if constexpr (std::is_floating_point_v<T>) {
        out = static_cast<T>(number);
        return true;
      } else {
        out = static_cast<T>(number);
        return std::in_range<T>(number);
      }
    }
    case element_type::UINT64: {
      const std::uint64_t number = value.get_uint64().value_unsafe();
      if constexpr (std::is_floating_point_v<T>) {
        out = static_cast<T>(number);
        return true;
      } else {
        out = static_cast<T>(number);
        return std::in_range<T>(number);
      }
    }
    case element_type::DOUBLE: {
      const double number = value.get_double().value_unsafe();
      if constexpr (std::is_floating_point_v<T>) {
        out = number;
        return true;
      } else {
        return whole_number(number, out);
      }
    }
    case element_type::STRING:
      return parse_whole(value.get_string().value_unsafe(), out);
    default:
      return false;
  }
}

inline bool read_flag(const simdjson::dom::element& value, bool& out) {
  if (value.get(out) == simdjson::SUCCESS) return true;
  std::string_view word;
  if (value.get(word) != simdjson::SUCCESS) return false;
  out = word == "true";
  return out || word == "false";
}

}  // namespace oomtrace::codec
