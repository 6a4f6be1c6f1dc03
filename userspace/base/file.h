// SPDX-License-Identifier: Apache-2.0
// Whole-file reads of small files (procfs, sysfs, cgroupfs) and complete writes.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "oomtrace/result.h"

namespace oomtrace {

// All of a file. A file longer than max_bytes is an error (Errc::kInput), not a silent cut.
// procfs files have no size, so this reads until end of file.
Result<std::string> read_small_file(const char* path, std::size_t max_bytes);

// The first bytes of a file, at most `max_bytes`; takes memory as the file grows, since few come near their bound.
Result<std::string> read_file_start(const char* path, std::size_t max_bytes);

// Reads until end of file or a full buffer and returns the bytes read; allocates only for an error's text.
// A result equal to buffer.size() may be a cut.
Result<std::size_t> read_into(const char* path, std::span<char> buffer);

// The same from the start of an open file, by pread(2): a procfs file that is kept open is read afresh.
Result<std::size_t> read_into(const Fd& file, std::span<char> buffer);

// Target of a symbolic link as bytes, "" never. Errc::kInput or kPermission.
Result<std::string> read_link(const char* path);

// Repeats write(2) until all is out. Errc::kOutput. On a non-blocking descriptor EAGAIN is an error.
Result<void> write_all(const Fd& file, std::string_view bytes);

}  // namespace oomtrace
