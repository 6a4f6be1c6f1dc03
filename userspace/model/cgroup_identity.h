// SPDX-License-Identifier: Apache-2.0
// What the path of a cgroup says of the job in it: Slurm, Kubernetes, a container.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace oomtrace::model {

struct CgroupIdentity {
  std::optional<std::string> slurm_job, slurm_step;  // "123", "0" or "batch"
  std::optional<std::string> k8s_pod_uid;            // with dashes
  std::optional<std::string> container_id;           // 64 hex digits
  std::optional<std::string> container_runtime;      // "docker", "containerd", "cri-o", "podman" where the path says it

  bool any() const { return slurm_job || k8s_pod_uid || container_id; }
};

// From a path relative to its hierarchy, v1 or v2, of the systemd and the cgroupfs drivers.
CgroupIdentity identify_cgroup(std::string_view path);

}  // namespace oomtrace::model
