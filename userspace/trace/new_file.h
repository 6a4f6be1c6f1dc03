// SPDX-License-Identifier: Apache-2.0
// Creating an output file where another user may own the directory: never through a link, never over a file unasked.
#pragma once

#include <optional>
#include <string>

#include "base/fd.h"
#include "base/users_directory.h"
#include "oomtrace/result.h"

namespace oomtrace::trace {

using Owner = FileOwner;

struct NewFileOptions {
  bool force = false;          // put the new file in the place of an existing regular file or symbolic link
  std::optional<Owner> owner;  // nullopt: whoever runs this
  int directory = -1;          // open already, not owned: what its name leads to now does not matter; -1: look it up
};

// The directory of `path`, for NewFileOptions::directory: as open_users_directory() follows it.
Result<Fd> open_directory_of(const std::string& path, const std::optional<Owner>& owner);

// A new, empty file at `path`, open for writing, mode 0600 whatever the umask.
//
// `force` makes the file under a random name in the same directory and renames it over the old one. A rename replaces
// the name itself, so a symbolic link there is replaced and its target untouched; the old file stays whole until the
// new one is ready, which unlinking first would not give. Devices, FIFOs, sockets and directories are refused.
//
// Errors: Errc::kOutput or kPermission with errno; EEXIST comes with the hint to use --force.
Result<Fd> create_new_file(const std::string& path, const NewFileOptions& options);

}  // namespace oomtrace::trace
