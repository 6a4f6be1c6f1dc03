// SPDX-License-Identifier: Apache-2.0
// capabilities(7): they belong to threads, and a new one has those of its maker.
#include "cli/least_privilege.h"

#include <sys/capability.h>
#include <sys/prctl.h>

#include <cerrno>
#include <memory>
#include <type_traits>
#include <vector>

#include "base/sys_error.h"

namespace oomtrace::cli {

namespace {

struct CapFree {
  void operator()(cap_t capabilities) const noexcept { cap_free(capabilities); }
};
using Capabilities = std::unique_ptr<std::remove_pointer_t<cap_t>, CapFree>;

}  // namespace

std::vector<cap_value_t> kept_capabilities(const Outputs& outputs) {
  std::vector<cap_value_t> values = {CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, CAP_IPC_LOCK};
  if (outputs.command) values.push_back(CAP_KILL);
  const bool for_owner = outputs.state_directory || outputs.stream == sink::TargetKind::kFile;
  if (for_owner) values.push_back(CAP_CHOWN);
  // connect(2), each time a reader comes back, asks for the right to write to the socket's name.
  const bool connects = outputs.stream == sink::TargetKind::kSocket;
  if (for_owner || connects || outputs.metrics_textfile) values.push_back(CAP_DAC_OVERRIDE);
  return values;
}

std::optional<std::string> drop_privileges(const Outputs& outputs) {
  const Capabilities now(cap_get_proc());
  const Capabilities wanted(cap_init());
  if (!now || !wanted) return "capabilities are kept: " + errno_text(errno);
  for (const cap_value_t value : kept_capabilities(outputs)) {
    cap_flag_value_t had = CAP_CLEAR;
    // What this process does not have cannot be kept, nor what this kernel does not know.
    if (cap_get_flag(now.get(), value, CAP_PERMITTED, &had) != 0 || had == CAP_CLEAR) continue;
    cap_set_flag(wanted.get(), CAP_PERMITTED, 1, &value, CAP_SET);
    cap_set_flag(wanted.get(), CAP_EFFECTIVE, 1, &value, CAP_SET);
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return "new privileges are not ruled out: " + errno_text(errno);
  if (cap_set_proc(wanted.get()) != 0) return "capabilities are kept: " + errno_text(errno);
  return std::nullopt;
}

}  // namespace oomtrace::cli
