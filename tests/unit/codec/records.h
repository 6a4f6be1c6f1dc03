// SPDX-License-Identifier: Apache-2.0
// Ring records for tests: well-formed, with every optional member valid.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "oomtrace/abi.h"

namespace oomtrace::codec {

inline constexpr std::uint64_t kBootNs = 5'000'000'000;

template <class Record>
Record record_of(oomtrace_kind kind, std::uint64_t valid = 0) {
  Record record;
  std::memset(&record, 0, sizeof(record));
  record.h.kind = static_cast<__u16>(kind);
  record.h.version = OOMTRACE_ABI_VERSION;
  record.h.size = sizeof(record);
  record.h.boot_ns = kBootNs;
  record.h.valid = valid;
  return record;
}

template <std::size_t N>
void put(char (&field)[N], std::string_view text) {
  std::memset(field, 0, N);
  std::memcpy(field, text.data(), text.size() < N ? text.size() : N);
}

inline oomtrace_task task(std::uint32_t pid, std::string_view comm) {
  oomtrace_task task{};
  task.tgid = pid;
  task.tid = pid;
  task.start_boot_ns = pid * 1000ULL;
  put(task.comm, comm);
  return task;
}

inline oomtrace_mm mm() { return {1, 2, 3, 4, 8192, 100, 9}; }

template <class Record>
std::span<const std::byte> bytes_of(const Record& record) {
  return std::as_bytes(std::span(&record, 1));
}

oomtrace_oom_kill sample_kill();
oomtrace_exec sample_exec(std::string_view args);
// A cgroup of this id whose ancestors have the ids below it; names outermost first.
oomtrace_cgroup sample_cgroup(std::uint64_t id, const std::vector<std::string_view>& names);

// One record of each kind, with all members valid; index = kind - 1.
std::vector<std::vector<std::byte>> sample_records();

}  // namespace oomtrace::codec
