// SPDX-License-Identifier: Apache-2.0
// Who called: the person behind sudo, whom the trace belongs to and as whom CMD runs.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace oomtrace::cli {

struct InvokingUser {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string name;
  std::string home;
  std::string shell;
  std::vector<gid_t> groups;  // all of them
  bool through_sudo = false;  // root now, somebody else before
};

// From SUDO_UID and SUDO_GID where they are set and this is root; else the real user. A name that the user database
// does not know stays empty, and groups hold the primary one.
InvokingUser find_invoking_user();

// The environment that the user's shell had when it ran sudo, "NAME=VALUE" each: taken from the sudo process's /proc
// entry; where that is not to be had, this process's own with HOME, USER, LOGNAME, SHELL set to the user's.
std::vector<std::string> invoking_environment(const InvokingUser& user);

}  // namespace oomtrace::cli
