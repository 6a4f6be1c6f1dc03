// SPDX-License-Identifier: Apache-2.0
// The time stamps that stand in front of kernel messages. Each function takes one form off the front of the line and
// answers whether it did; what it tells goes into `stamp`.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "kernel_log/record.h"

namespace oomtrace::kernel_log {

// ns since the epoch of a civil time in UTC; nullopt if it is none.
std::optional<std::int64_t> civil_to_ns(std::int64_t year, std::uint32_t month, std::uint32_t day, std::uint32_t hour,
                                        std::uint32_t minute, std::uint32_t second, std::uint32_t nanosecond);

// "[  123.456789] ", with dmesg -d's and journalctl's "<    0.000018>" inside.
bool take_printk_stamp(std::string_view& s, Stamp& stamp);
// "[ T123] " or "[  C1] " of CONFIG_PRINTK_CALLER.
bool take_caller(std::string_view& s, std::string_view& caller);
// "[Tue Mar 24 14:32:11 2026] " in any locale, "[Mar24 14:32] ".
bool take_bracket_clock(std::string_view& s, Stamp& stamp);
// "2026-03-24T14:32:11.123456+00:00 ", also with a blank for the T and a comma before the fraction.
bool take_iso_stamp(std::string_view& s, Stamp& stamp);
// "Mar 24 14:32:11 ", "Tue Mar 24 14:32:11 2026 ", "24 Mar 14:32:11 ", in any locale; `year` is for those without one
// (nullopt: no wall time comes of them).
bool take_syslog_stamp(std::string_view& s, Stamp& stamp, std::optional<int> year);
// "14:32:11.123 ", a time of any day: it tells nothing.
bool take_bare_clock(std::string_view& s);
// "Tue 2026-03-24 14:32:11 UTC " (journalctl short-full) and "1790506800.000000 " (short-unix).
bool take_journal_stamp(std::string_view& s, Stamp& stamp);

}  // namespace oomtrace::kernel_log
