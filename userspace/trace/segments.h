// SPDX-License-Identifier: Apache-2.0
// The files of a state directory: one recording in rolling segments, each of which can be read alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oomtrace/result.h"

namespace oomtrace::trace {

// "oomtrace-<host>-<UTC start of the recording>-<number>.oomtrace", with ".thin" before the end once it was thinned.
struct SegmentName {
  std::string recording;     // "oomtrace-<host>-20261124T083000Z"
  std::uint32_t number = 0;  // from 1
  bool thinned = false;

  std::string file_name() const;
  static std::optional<SegmentName> parse(std::string_view file_name);
};

struct SegmentFile {
  SegmentName name;
  std::string path;
  std::uint64_t bytes = 0;
  std::int64_t changed_ns = 0;  // last written to, CLOCK_REALTIME
};

// Oldest first: by the start of the recording, then by number. Files of other names are left out.
// Errors: Errc::kInput or kPermission: the directory cannot be read.
Result<std::vector<SegmentFile>> list_segments(const std::string& directory);

}  // namespace oomtrace::trace
