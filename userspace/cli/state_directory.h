// SPDX-License-Identifier: Apache-2.0
// The directory of `record --state-dir`: made or checked, and held by one recorder at a time.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/fd.h"
#include "cli/invoking_user.h"
#include "oomtrace/result.h"

namespace oomtrace::cli {

struct StateDirectory {
  Fd fd;  // holds the lock
  uid_t uid = 0;
  gid_t gid = 0;  // whose the directory is, and so the files in it
};

// Made as the invoking user's, mode 0750, where it is not there. One that is there must be root's or the user's, not
// writable by others, and a link to it likewise: recordings there could be replaced, and root writes into it.
// Errors: Errc::kOutput or kPermission; EWOULDBLOCK: another recorder has it.
Result<StateDirectory> open_state_directory(const std::string& path, const InvokingUser& user);

}  // namespace oomtrace::cli
