// SPDX-License-Identifier: Apache-2.0
// errno into Error.
#include "base/sys_error.h"

#include <cerrno>
#include <system_error>

namespace oomtrace {

std::string errno_text(int sys_errno) { return std::generic_category().message(sys_errno); }

tl::unexpected<Error> fail_errno(Errc code, std::string_view what, int sys_errno) {
  const bool refused = sys_errno == EACCES || sys_errno == EPERM;
  return fail(refused ? Errc::kPermission : code, std::string(what) + ": " + errno_text(sys_errno), sys_errno);
}

}  // namespace oomtrace
