// SPDX-License-Identifier: Apache-2.0
// Keeps a state directory within its age and size.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "oomtrace/result.h"

namespace oomtrace::trace {

struct RetentionOptions {
  std::int64_t retain_ns = 7LL * 24 * 3600 * 1'000'000'000;
  std::uint64_t max_bytes = std::uint64_t{500} << 20;
  std::int64_t thin_after_ns = 24LL * 3600 * 1'000'000'000;
  // Thinning reads a segment whole, and on a busy machine segments come meanwhile: after so long what is too much goes
  // without, and what is old waits for the next time.
  std::chrono::nanoseconds thin_for = std::chrono::seconds(3);
  std::uint64_t reserve_bytes = 0;  // of the file system, to stay free as far as removing files here does it
  std::int64_t now_ns = 0;          // CLOCK_REALTIME
  // Path of the segment being written. It is never touched, nor what has come after it in its recording: who asked may
  // have waited for an answer while the recording went on.
  std::string keep;
};

struct RetentionResult {
  std::vector<std::string> thinned, removed;  // paths
  std::uint64_t bytes = 0;                    // of all segments and post-mortems afterwards
};

// First what is older than retain_ns goes, post-mortems too, and the oldest post-mortems where these take more than a
// quarter of max_bytes: a job that is killed again and again must not push the recording out. Where all together are
// larger than max_bytes by more than a quarter, the oldest segments go at once. Then segments older than
// thin_after_ns are thinned, and younger ones, oldest first, while all together are larger than max_bytes or the
// reserve is not free. What is still too much goes from the oldest segment on, at last the oldest post-mortems. A
// segment that cannot be thinned stays as it is until it has to go. Errors: Errc::kInput or kPermission: the directory
// cannot be read.
Result<RetentionResult> keep_within(const std::string& directory, const RetentionOptions& options);

// Whether a file of a state directory is a post-mortem of ours: "incident-....json" or ".txt".
bool is_post_mortem(std::string_view file_name);

}  // namespace oomtrace::trace
