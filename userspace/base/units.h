// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them. The same value always gives the same text, whatever the locale.
#pragma once

#include <cstdint>
#include <string>

#include "base/time_text.h"  // format_rfc3339_ns and parse_rfc3339 belong to the same set

namespace oomtrace {

// Binary units, rounded half away from zero: "0 B", "512 B", "87 KiB", "320.0 MiB", "1.5 GiB", "-4.0 MiB".
std::string format_bytes(std::int64_t bytes);
// The same of a figure that was reckoned with; beyond 64 bits it is cut there, NaN is 0.
std::string bytes_text(double bytes);
// The same with a sign in front of what grew: "+320.0 MiB", "0 B".
std::string format_bytes_signed(std::int64_t bytes);

// Groups of three digits: "1,234,567".
std::string format_count(std::int64_t count);
// "page": "1 page", "1,234 pages".
std::string format_count(std::int64_t count, const char* singular);

// A share of 1: "0%", "<0.1%", "3.4%", "42%", ">99%", "100%", "250%". NaN gives "?".
std::string format_percent(double share);

// "0 ms", "850 ms", "12.3 s", "4 min 05 s", "3 h 07 min", "2 d 04 h".
std::string format_duration(std::uint64_t nanoseconds);

}  // namespace oomtrace
