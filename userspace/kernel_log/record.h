// SPDX-License-Identifier: Apache-2.0
// One message of a kernel log with what its prefix said: the unit that all prefix readers give to the assembler.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace oomtrace::kernel_log {

// When a message was printed, as far as its prefix says.
struct Stamp {
  std::optional<std::uint64_t> printk_us;  // printk's clock: microseconds, near to CLOCK_BOOTTIME but not equal
  std::optional<std::int64_t> wall_ns;     // ns since the epoch; a stamp without time zone is taken as UTC
  bool zoneless = false;                   // wall_ns is of a stamp without time zone
  bool yearless = false;                   // and its year is the caller's

  bool known() const { return printk_us || wall_ns; }
  bool operator==(const Stamp&) const = default;
};

// 285 years: printk's clock starts with the machine. Nanoseconds stay within 63 bits.
inline constexpr std::uint64_t kMostPrintkUs = 9'000'000'000'000'000;

// Views live as long as the line that was read.
struct LogRecord {
  std::string_view message;
  std::string_view host;   // empty = not said
  std::string_view ident;  // syslog tag without pid; empty = none or "kernel"
  std::optional<std::uint32_t> ident_pid;
  std::string_view caller;                // "T123" (thread) or "C1" (CPU) of CONFIG_PRINTK_CALLER
  std::string_view boot_id;               // journal's _BOOT_ID
  std::optional<std::uint32_t> priority;  // syslog level, 0 to 7
  std::optional<std::uint64_t> kmsg_seq;
  Stamp stamp;
  bool prefixed = false;  // a time stamp or a tag stood in front
  bool foreign = false;   // the tag names a program other than the kernel
};

}  // namespace oomtrace::kernel_log
