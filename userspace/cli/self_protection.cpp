// SPDX-License-Identifier: Apache-2.0
// /proc/self/oom_score_adj and mlockall(2).
#include "cli/self_protection.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cerrno>

#include "base/fd.h"
#include "base/file.h"
#include "base/sys_error.h"

namespace oomtrace::cli {

std::vector<std::string> protect_self() {
  std::vector<std::string> refused;
  Result<void> written = fail(Errc::kPermission, "");
  int code = 0;
  if (auto file = open_fd("/proc/self/oom_score_adj", O_WRONLY)) {
    written = write_all(*file, "-1000");
    if (!written) code = written.error().sys_errno;
  } else {
    code = file.error().sys_errno;
  }
  if (!written)
    refused.push_back("oom_score_adj stays as it is (" + errno_text(code) +
                      (code == EACCES || code == EPERM ? ", CAP_SYS_RESOURCE is missing" : "") +
                      "): the OOM killer may choose the recorder itself");

  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_MEMLOCK, &unlimited);
  if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0)
    refused.push_back("memory is not locked (" + errno_text(errno) +
                      "): under memory pressure the recorder may be paged out");
  return refused;
}

}  // namespace oomtrace::cli
