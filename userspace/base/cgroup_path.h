// SPDX-License-Identifier: Apache-2.0
// Identities that container runtimes and schedulers write into cgroup paths, v1 and v2.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace oomtrace {

// Container id of a cgroup path: 64 lower-case hex digits in one of its components, the innermost first, as Docker,
// containerd, CRI-O and Podman name them ("docker-ID.scope", "cri-containerd-ID.scope", "libpod-ID.scope", "ID").
// Empty: none. The view points into the path.
std::string_view container_id_of(std::string_view cgroup_path);

struct PodUid {
  std::array<char, 36> text{};
  std::size_t size = 0;
  std::string_view view() const { return {text.data(), size}; }
};

// UID of the Kubernetes pod of a cgroup path: "pod" and a UUID in the form of the cgroupfs driver
// ("/kubepods/burstable/podUUID/...") or of the systemd driver ("kubepods-burstable-podUUID.slice", "_" for "-"), or
// the 32 hex digits of a static pod. Written with "-".
std::optional<PodUid> pod_uid_of(std::string_view cgroup_path);

struct SlurmIds {
  std::string_view job;   // "4711"; empty: none
  std::string_view step;  // "0", "batch", "extern", "interactive"; empty: none
};

// Of "/slurm[_NODE]/uid_1000/job_4711/step_0/..." (v1) and "/system.slice/[NODE_]slurmstepd.scope/job_4711/step_0/..."
// (v2). The views point into the path.
SlurmIds slurm_ids_of(std::string_view cgroup_path);

}  // namespace oomtrace
