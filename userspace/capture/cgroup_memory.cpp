// SPDX-License-Identifier: Apache-2.0
// Reads memory.* files; Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
#include "capture/cgroup_memory.h"

#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "base/file.h"

namespace oomtrace::capture {

namespace {

constexpr std::uint64_t kV1Unlimited = std::uint64_t{1} << 62;  // PAGE_COUNTER_MAX pages, rounded down

std::optional<std::uint64_t> to_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> read_value(const std::string& directory, const char* file) {
  const auto text = read_small_file((directory + "/" + file).c_str(), 256);
  if (!text || text->starts_with("max")) return std::nullopt;
  const auto value = to_number(*text);
  if (value && *value >= kV1Unlimited) return std::nullopt;
  return value;
}

template <class Visit>
void for_each_pair(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::size_t blank = line.find(' ');
    if (blank == std::string_view::npos) continue;
    if (const auto value = to_number(line.substr(blank + 1))) visit(line.substr(0, blank), *value);
  }
}

}  // namespace

void parse_memory_stat(std::string_view text, int version, CgroupMemory& memory) {
  for_each_pair(text, [&](std::string_view key, std::uint64_t value) {
    if (version == 2) {
      if (key == "anon") memory.anon = value;
      if (key == "file") memory.file = value;
      if (key == "shmem") memory.shmem = value;
      if (key == "kernel") memory.kernel = value;
      if (key == "slab") memory.slab = value;
      if (key == "pagetables") memory.page_tables = value;
      if (key == "file_mapped") memory.file_mapped = value;
      return;
    }
    if (key == "total_rss") memory.anon = value;
    if (key == "total_shmem") memory.shmem = value;
    if (key == "total_mapped_file") memory.file_mapped = value;
    if (key == "total_cache") memory.file = value;
  });
}

std::optional<CgroupMemory> read_cgroup_memory(const std::string& directory, int version) {
  CgroupMemory memory;
  memory.version = version;
  memory.usage = read_value(directory, version == 2 ? "memory.current" : "memory.usage_in_bytes");
  if (!memory.usage) return std::nullopt;
  if (version == 2) {
    memory.limit = read_value(directory, "memory.max");
    memory.high = read_value(directory, "memory.high");
    memory.peak = read_value(directory, "memory.peak");
    memory.swap_usage = read_value(directory, "memory.swap.current");
    memory.swap_limit = read_value(directory, "memory.swap.max");
  } else {
    memory.limit = read_value(directory, "memory.limit_in_bytes");
    memory.peak = read_value(directory, "memory.max_usage_in_bytes");
    const auto both_usage = read_value(directory, "memory.memsw.usage_in_bytes");
    const auto both_limit = read_value(directory, "memory.memsw.limit_in_bytes");
    if (both_usage && *both_usage >= *memory.usage) memory.swap_usage = *both_usage - *memory.usage;
    if (both_limit && memory.limit && *both_limit >= *memory.limit) memory.swap_limit = *both_limit - *memory.limit;
    if (const auto kernel = read_value(directory, "memory.kmem.usage_in_bytes")) memory.kernel = kernel;
  }
  if (const auto stat = read_small_file((directory + "/memory.stat").c_str(), 1U << 16))
    parse_memory_stat(*stat, version, memory);
  const char* events = version == 2 ? "/memory.events" : "/memory.oom_control";
  if (const auto text = read_small_file((directory + events).c_str(), 4096)) {
    for_each_pair(*text, [&](std::string_view key, std::uint64_t value) {
      if (key == "oom_kill") memory.oom_kills = value;
    });
  }
  return memory;
}

MemoryLimit find_memory_limit(const std::string& directory, int version) {
  if (read_value(directory, version == 2 ? "memory.max" : "memory.limit_in_bytes")) return MemoryLimit::kSet;
  // Without the controller it has no such file, and is there.
  const bool gone = access(directory.c_str(), F_OK) != 0 && errno == ENOENT;
  return gone ? MemoryLimit::kGone : MemoryLimit::kNone;
}

}  // namespace oomtrace::capture
