// SPDX-License-Identifier: Apache-2.0
// Directories like /tmp, where whoever comes first makes the name that we are to open.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace oomtrace {

// "/tmp" of "/tmp/x", "/" of "/x", "." of "x".
std::string directory_of(std::string_view path);

// Whether all users may make names there (S_IWOTH, sticky or not); also where that cannot be found out. Allocates
// nothing.
bool anybody_may_write(const char* directory) noexcept;
bool anybody_may_write(int at, const char* directory) noexcept;  // as openat(2) has it

// Root, whoever runs this, and `user`, whom it is done for: what is theirs was not put there by a stranger.
bool is_no_stranger(uid_t owner, std::optional<uid_t> user) noexcept;

// Of what was opened where anybody may write: a file of a stranger's would tell them what we write, and a second name
// of one of ours would spoil it.
bool is_planted(const struct stat& status, std::optional<uid_t> user) noexcept;

}  // namespace oomtrace
