// SPDX-License-Identifier: Apache-2.0
// Ring bytes (include/oomtrace/abi.h) -> Event.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "codec/cgroup_names.h"
#include "oomtrace/event.h"
#include "oomtrace/result.h"

namespace oomtrace::codec {

// What turns a record's numbers into an event's. Not thread-safe: the decoder writes `scratch` and learns `cgroups`.
struct DecodeContext {
  std::uint32_t page_size = 4096;
  std::int64_t realtime_offset_ns = 0;
  std::string_view trace_id, boot_id, host_name, host_id;  // must outlive the context
  CgroupNames cgroups;
  // Name of the kernel function that holds an address; nullptr or empty answer: unknown.
  std::string_view (*symbol_name)(const void* symbols, std::uint64_t address) = nullptr;
  const void* symbols = nullptr;
  bool redact = true;  // mask likely secrets in command lines
  std::array<char, 4096> scratch{};
};

// Fills `event` (but for seq) and returns true; false: the record is no event by itself (a cgroup's path, learnt).
// The event's text lives as long as the record and until the next call with this context. Allocates nothing for any
// record kind, errors apart. Unknown kinds, short or torn records: Errc::kInput.
Result<bool> decode_record(std::span<const std::byte> record, DecodeContext& context, Event& event);

}  // namespace oomtrace::codec
