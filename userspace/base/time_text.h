// SPDX-License-Identifier: Apache-2.0
// RFC 3339 times in UTC with nanoseconds, without locale, time zone data or allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace oomtrace {

inline constexpr std::size_t kRfc3339NsLength = 30;  // "2026-03-24T14:32:11.123456789Z"

// wall_ns: nanoseconds since 1970-01-01T00:00:00Z; every int64 (years 1677 to 2262) has a text of this length.
void write_rfc3339_ns(std::int64_t wall_ns, std::span<char, kRfc3339NsLength> out);
std::string format_rfc3339_ns(std::int64_t wall_ns);

// "20261124T083000Z", for file names: whole seconds.
std::string compact_utc(std::int64_t wall_ns);

// Reads any RFC 3339 date-time: "T" or "t" or one blank between date and time, no or any fraction (digits behind the
// ninth are dropped), "Z", "z" or an offset. A leap second counts as the second after it. nullopt: not such a text, or
// outside of int64 nanoseconds.
std::optional<std::int64_t> parse_rfc3339(std::string_view text);

// The same for many times in a row, of which most are of the same second as the one before and in our own form: of
// those only the nanoseconds are read.
class Rfc3339Reader {
 public:
  std::optional<std::int64_t> read(std::string_view text);

 private:
  std::array<char, 20> second_{};  // "2026-03-24T14:32:11."; all zeros: none yet
  std::int64_t second_ns_ = 0;
};

}  // namespace oomtrace
