// SPDX-License-Identifier: Apache-2.0
// Any bytes as a cgroup's path: whatever identity it is given, its parts are what they claim to be and no longer.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "base/cgroup_path.h"
#include "model/cgroup_identity.h"

namespace {

using namespace oomtrace;

void check(bool holds) {
  if (!holds) std::abort();
}

bool all_of(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A block of its own, so that a read past its end is seen.
  const auto block = std::make_unique<char[]>(size);
  std::copy(data, data + size, block.get());
  const std::string_view path(block.get(), size);
  constexpr std::string_view kHex = "0123456789abcdef";

  const std::string_view container = container_id_of(path);
  check(container.empty() || (container.size() == 64 && all_of(container, kHex)));
  check(container.empty() || (container.data() >= path.data() && container.data() + 64 <= path.data() + size));
  const auto pod = pod_uid_of(path);
  check(!pod || (!pod->view().empty() && all_of(pod->view(), "0123456789abcdefABCDEF-")));

  const model::CgroupIdentity identity = model::identify_cgroup(path);
  check(!identity.container_id || *identity.container_id == container);
  check(!identity.k8s_pod_uid || (pod && *identity.k8s_pod_uid == pod->view()));
  check(!identity.slurm_job || !identity.slurm_job->empty());
  check(!identity.slurm_step || identity.slurm_job);
  return 0;
}
