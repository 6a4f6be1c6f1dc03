// SPDX-License-Identifier: Apache-2.0
// errno into Error, with the system's words for it.
#pragma once

#include <string>
#include <string_view>

#include "oomtrace/result.h"

namespace oomtrace {

// strerror(3) in a form that threads may use.
std::string errno_text(int sys_errno);

// "WHAT: No such file or directory". EACCES and EPERM become Errc::kPermission whatever `code` says.
tl::unexpected<Error> fail_errno(Errc code, std::string_view what, int sys_errno);

}  // namespace oomtrace
