// SPDX-License-Identifier: Apache-2.0
// Line-wise parsers of procfs tables.
#include "capture/meminfo.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "base/file.h"

namespace oomtrace::capture {

namespace {

using Field = Opt<std::uint64_t> SystemMemory::*;
struct Row {
  std::string_view name;
  Field field;
};

// Documentation/filesystems/proc.rst, "meminfo".
constexpr std::array kMeminfo = {
    Row{"MemTotal", &SystemMemory::total},
    Row{"MemFree", &SystemMemory::free},
    Row{"MemAvailable", &SystemMemory::available},
    Row{"Buffers", &SystemMemory::buffers},
    Row{"Cached", &SystemMemory::cached},
    Row{"SwapCached", &SystemMemory::swap_cached},
    Row{"Active", &SystemMemory::active},
    Row{"Inactive", &SystemMemory::inactive},
    Row{"Unevictable", &SystemMemory::unevictable},
    Row{"Mlocked", &SystemMemory::mlocked},
    Row{"AnonPages", &SystemMemory::anon},
    Row{"Mapped", &SystemMemory::mapped},
    Row{"Shmem", &SystemMemory::shmem},
    Row{"SReclaimable", &SystemMemory::slab_reclaimable},
    Row{"SUnreclaim", &SystemMemory::slab_unreclaimable},
    Row{"KernelStack", &SystemMemory::kernel_stack},
    Row{"PageTables", &SystemMemory::page_tables},
    Row{"Percpu", &SystemMemory::percpu},
    Row{"SwapTotal", &SystemMemory::swap_total},
    Row{"SwapFree", &SystemMemory::swap_free},
    Row{"Dirty", &SystemMemory::dirty},
    Row{"Writeback", &SystemMemory::writeback},
    Row{"Committed_AS", &SystemMemory::committed},
    Row{"CommitLimit", &SystemMemory::commit_limit},
    Row{"Hugetlb", &SystemMemory::hugetlb},
    Row{"VmallocUsed", &SystemMemory::vmalloc_used},
};

template <class Visit>
void for_each_line(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    visit(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

std::optional<std::uint64_t> leading_number(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  return value;
}

double decimal(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Pressure parse_pressure_line(std::string_view line) {
  Pressure pressure;
  while (!line.empty()) {
    const std::size_t end = line.find(' ');
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = word.substr(0, equals);
    const std::string_view value = word.substr(equals + 1);
    if (key == "avg10") pressure.avg10 = decimal(value);
    if (key == "avg60") pressure.avg60 = decimal(value);
    if (key == "avg300") pressure.avg300 = decimal(value);
    if (key == "total") pressure.total_us = leading_number(value).value_or(0);
  }
  return pressure;
}

}  // namespace

void parse_meminfo(std::string_view text, SystemMemory& memory) {
  for_each_line(text, [&](std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    const std::string_view name = line.substr(0, colon);
    for (const Row& row : kMeminfo) {
      if (row.name != name) continue;
      const auto kilobytes = leading_number(line.substr(colon + 1));
      if (kilobytes && *kilobytes <= UINT64_MAX / 1024) memory.*row.field = *kilobytes * 1024;
      return;
    }
  });
}

void parse_vmstat(std::string_view text, std::uint32_t page_size, SystemMemory& memory) {
  std::optional<std::uint64_t> inflated;
  std::optional<std::uint64_t> deflated;
  for_each_line(text, [&](std::string_view line) {
    const std::size_t blank = line.find(' ');
    if (blank == std::string_view::npos) return;
    const std::string_view name = line.substr(0, blank);
    if (name == "oom_kill") memory.oom_kills = leading_number(line.substr(blank));
    if (name == "balloon_inflate") inflated = leading_number(line.substr(blank));
    if (name == "balloon_deflate") deflated = leading_number(line.substr(blank));
  });
  if (inflated && deflated && *inflated >= *deflated) memory.balloon = (*inflated - *deflated) * page_size;
}

void parse_pressure(std::string_view text, SystemPressure& pressure) {
  for_each_line(text, [&](std::string_view line) {
    if (line.starts_with("some ")) pressure.some = parse_pressure_line(line.substr(5));
    if (line.starts_with("full ")) pressure.full = parse_pressure_line(line.substr(5));
  });
}

bool memory_is_short(const SystemMemory& memory) {
  // A training run takes gigabytes a second, a read some milliseconds.
  constexpr std::uint64_t kShort = 32, kMost = std::uint64_t{4} << 30;  // of the machine's memory, but no more than
  if (!memory.available || !memory.total) return false;
  const std::uint64_t least = std::min(*memory.total / kShort, kMost);
  return *memory.available < least && memory.swap_free.value_or(0) < least - *memory.available;
}

bool system_memory_is_short() {
  const auto meminfo = read_small_file("/proc/meminfo", 1U << 16);
  SystemMemory memory;
  if (meminfo) parse_meminfo(*meminfo, memory);
  return memory_is_short(memory);
}

std::optional<SystemMemory> read_system_memory() {
  const auto meminfo = read_small_file("/proc/meminfo", 1U << 16);
  if (!meminfo) return std::nullopt;
  SystemMemory memory;
  parse_meminfo(*meminfo, memory);
  if (const auto vmstat = read_small_file("/proc/vmstat", 1U << 16))
    parse_vmstat(*vmstat, static_cast<std::uint32_t>(sysconf(_SC_PAGESIZE)), memory);
  return memory;
}

std::optional<SystemPressure> read_system_pressure(std::string_view resource) {
  const auto text = read_small_file(("/proc/pressure/" + std::string(resource)).c_str(), 4096);
  if (!text) return std::nullopt;
  SystemPressure pressure;
  pressure.resource = resource;
  parse_pressure(*text, pressure);
  return pressure;
}

}  // namespace oomtrace::capture
