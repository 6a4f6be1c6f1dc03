// SPDX-License-Identifier: Apache-2.0
// Commands that a person may paste: everything that a trace says is checked before it gets into one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "analysis/remedies/remedy.h"

namespace oomtrace::analysis {

// "1500M": whole MiB, rounded up.
std::string limit_text(double bytes);

// Sets the memory limit of the domain where it is set: Slurm, Docker, Podman, a systemd unit, or the cgroup itself.
// nullopt outside of a memory cgroup, for a Kubernetes pod (its manifest is the place, see limit_code) and where the
// path has characters that a shell would take for something else.
std::optional<std::string> limit_command(const Patient& patient, double bytes);
// The lines of a pod's manifest; nullopt where it is no pod.
std::optional<std::string> limit_code(const Patient& patient, double bytes);

// Throttles before the limit is reached (memory.high); nullopt on cgroup v1, which has nothing of the kind.
std::optional<std::string> throttle_command(const Patient& patient, double bytes);

// "docker" or "podman" where its command line made the cgroup; nullopt elsewhere, also in a pod or a Slurm job.
std::optional<std::string> container_tool(const Patient& patient);

// 1 or 2; nullopt where it is not known.
std::optional<int> cgroup_version(const Patient& patient);

}  // namespace oomtrace::analysis
