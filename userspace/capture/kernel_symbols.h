// SPDX-License-Identifier: Apache-2.0
// Names of kernel text addresses, from /proc/kallsyms, kept small: the recorder must stay under its memory budget.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "oomtrace/bpf_globals.h"

namespace oomtrace::capture {

class KernelSymbols {
 public:
  // Reads text symbols of the kernel proper (modules' are left out). Empty where addresses are hidden
  // (kernel.kptr_restrict without CAP_SYSLOG) or the file is not there.
  static KernelSymbols load(const char* path = "/proc/kallsyms");

  bool empty() const { return starts_.empty(); }
  std::size_t size() const { return starts_.size(); }

  // Addresses of variables; 0 where the kernel lists no data symbols (CONFIG_KALLSYMS_ALL=n).
  std::uint64_t per_cpu_offsets() const { return per_cpu_offsets_; }    // __per_cpu_offset[]
  std::uint64_t total_ram_pages() const { return total_ram_pages_; }    // _totalram_pages, an atomic_long_t
  std::uint64_t total_swap_pages() const { return total_swap_pages_; }  // total_swap_pages, a long

  // Function that holds the address, without offset; empty = none. Allocates nothing.
  std::string_view name_of(std::uint64_t address) const;

  // Text of the function up to the next symbol; {0, 0} where there is none of that name.
  oomtrace_function_range range_of(std::string_view name) const;

 private:
  std::uint64_t per_cpu_offsets_ = 0;
  std::uint64_t total_ram_pages_ = 0;
  std::uint64_t total_swap_pages_ = 0;
  std::uint64_t base_ = 0;             // lowest text address
  std::vector<std::uint32_t> starts_;  // offsets from base_, ascending
  std::vector<std::uint32_t> names_;   // offsets into text_
  std::string text_;                   // NUL-terminated names
};

}  // namespace oomtrace::capture
