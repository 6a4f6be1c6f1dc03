// SPDX-License-Identifier: Apache-2.0
// Reads what the kernel's own scan weighed (bpf/oom_scan.bpf.c).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "oomtrace/abi.h"

namespace oomtrace::capture {

// The map `scanned`, mapped read-only: a ring of OOMTRACE_SCANNED_MAX entries.
class ScanReader {
 public:
  ScanReader() = default;
  // `map_fd`: of the map; an error leaves the reader empty, and kills without scanned candidates.
  explicit ScanReader(int map_fd);
  ~ScanReader();
  ScanReader(const ScanReader&) = delete;
  ScanReader& operator=(const ScanReader&) = delete;
  ScanReader(ScanReader&& other) noexcept;
  ScanReader& operator=(ScanReader&& other) noexcept;

  // Copies the scan that the kill points to, in scan order, made part of its decision. The span lives until the next
  // call; empty where the kill has none. Allocates nothing.
  std::span<oomtrace_oom_candidate> read(const oomtrace_oom_kill& kill);

 private:
  void release();
  const std::byte* entries_ = nullptr;
  std::size_t stride_ = 0;  // array values are rounded up to 8 bytes
  std::size_t length_ = 0;
  std::vector<oomtrace_oom_candidate> copy_;
};

}  // namespace oomtrace::capture
