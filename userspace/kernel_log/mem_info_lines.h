// SPDX-License-Identifier: Apache-2.0
// Mem-Info: show_mem() of mm/show_mem.c (lib/show_mem.c, mm/page_alloc.c before), read line by line.
#pragma once

#include <optional>
#include <string_view>

#include "kernel_log/oom_report.h"

namespace oomtrace::kernel_log {

// Reads the lines of one block. Zone and node lines may be broken over several lines.
class MemInfoReader {
 public:
  // Adds what the line says to `info` (and the page size, from a buddy line, to `page_kb`); false if it is no line of
  // the block.
  bool line(std::string_view message, MemInfo& info, Opt<std::uint64_t>& page_kb);

 private:
  // Of which thing the "name:value" pairs are: the machine (pages), a node or a zone (kB).
  enum class Of { kMachine, kNode, kZone };
  bool pairs(std::string_view s, MemInfo& info);
  bool pair(std::string_view name, std::uint64_t value, bool in_kb, MemInfo& info);
  bool machine_pair(std::string_view name, std::uint64_t value, MemInfo& info);

  Of of_ = Of::kMachine;
  std::uint32_t node_ = 0;
};

}  // namespace oomtrace::kernel_log
