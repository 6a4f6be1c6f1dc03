// SPDX-License-Identifier: Apache-2.0
// Where root makes a file for somebody: a directory that they may write to themselves, or one that root's links lead
// to.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/fd.h"
#include "oomtrace/result.h"

namespace oomtrace {

struct FileOwner {
  uid_t uid = 0;
  gid_t gid = 0;
};

// Opens the directory (O_PATH). Where root works for another user, a path of theirs could lead anywhere by a symbolic
// link that they made. So it is followed as that user, who has to be able to make files at its end; or, where they
// cannot, as root, but then by links of root's only. Else, and without an owner: as open(2) follows it.
// Errors: Errc::kOutput or kPermission with errno; ELOOP for a link that is not followed. Only for as long as the
// calling thread may change its user (setfsuid(2)).
Result<Fd> open_users_directory(const std::string& path, const std::optional<FileOwner>& owner);

}  // namespace oomtrace
