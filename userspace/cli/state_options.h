// SPDX-License-Identifier: Apache-2.0
// How `record` keeps a state directory.
#pragma once

#include <cstdint>
#include <string>

namespace oomtrace::cli {

struct StateOptions {
  std::string directory;  // empty: no state directory
  std::int64_t retain_seconds = 7LL * 24 * 3600;
  std::uint64_t max_bytes = std::uint64_t{500} << 20;
};

}  // namespace oomtrace::cli
