// SPDX-License-Identifier: Apache-2.0
// What the path of a cgroup says of the job in it: Slurm, Kubernetes, a container.
#include "model/cgroup_identity.h"

#include <array>
#include <utility>

#include "base/cgroup_path.h"

namespace oomtrace::model {
namespace {

// The runtime's name stands in front of the id; of the cgroupfs drivers there is none.
std::optional<std::string> runtime_of(std::string_view path, std::string_view container_id) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kPrefixes{{{"docker-", "docker"},
                                                                                    {"cri-containerd-", "containerd"},
                                                                                    {"crio-", "cri-o"},
                                                                                    {"libpod-", "podman"},
                                                                                    {"nerdctl-", "containerd"}}};
  std::string_view before = path.substr(0, static_cast<std::size_t>(container_id.data() - path.data()));
  before.remove_prefix(before.rfind('/') + 1);  // npos + 1 is 0
  for (const auto& [prefix, name] : kPrefixes) {
    if (before == prefix) return std::string(name);
  }
  return std::nullopt;
}

}  // namespace

CgroupIdentity identify_cgroup(std::string_view path) {
  CgroupIdentity found;
  if (const SlurmIds slurm = slurm_ids_of(path); !slurm.job.empty()) {
    found.slurm_job = std::string(slurm.job);
    if (!slurm.step.empty()) found.slurm_step = std::string(slurm.step);
  }
  if (const auto uid = pod_uid_of(path)) found.k8s_pod_uid = std::string(uid->view());
  if (const std::string_view id = container_id_of(path); !id.empty()) {
    found.container_id = std::string(id);
    found.container_runtime = runtime_of(path, id);
  }
  return found;
}

}  // namespace oomtrace::model
