// SPDX-License-Identifier: Apache-2.0
// Commands that a person may paste.
#include "analysis/remedies/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/cgroup_identity.h"

namespace oomtrace::analysis {
namespace {

bool harmless(std::string_view text) {
  return !text.empty() && text.find("..") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '/' || c == '.' ||
                  c == '_' || c == '-' || c == ':' || c == '@';
         });
}

std::string path_of(const Patient& patient) {
  const std::string path = patient.incident.report.domain.cgroup.value_or("");
  return harmless(path) && path.front() == '/' && path.size() > 1 ? path : "";
}

std::string last_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

bool is_unit(const std::string& name) {
  if (name.starts_with('-')) return false;  // an option
  return name.ends_with(".service") || name.ends_with(".scope") || name.ends_with(".slice");
}

}  // namespace

std::string limit_text(double bytes) {
  const double mib = std::ceil(std::clamp(bytes, 0.0, 1e17) / (1 << 20));
  return fmt::format("{:.0f}M", mib);
}

std::optional<int> cgroup_version(const Patient& patient) {
  return host_of(patient.incident.context.world, patient.incident.seen).cgroup_version;
}

std::optional<std::string> container_tool(const Patient& patient) {
  const model::CgroupIdentity identity = model::identify_cgroup(path_of(patient));
  if (!identity.container_id || identity.k8s_pod_uid || identity.slurm_job) return std::nullopt;
  return identity.container_runtime == "podman" ? "podman" : "docker";
}

std::optional<std::string> limit_command(const Patient& patient, double bytes) {
  const std::string path = path_of(patient);
  if (!patient.memcg || path.empty()) return std::nullopt;
  const model::CgroupIdentity identity = model::identify_cgroup(path);
  const std::string text = limit_text(bytes);
  if (identity.slurm_job) return fmt::format("sbatch --mem={} ...", text);
  if (identity.k8s_pod_uid) return std::nullopt;
  if (const auto tool = container_tool(patient)) {
    return fmt::format("{} update --memory {} --memory-swap {} {}", *tool, text, text,
                       identity.container_id->substr(0, 12));
  }
  if (const std::string unit = last_name(path); is_unit(unit) && cgroup_version(patient) == 2) {
    return fmt::format("systemctl set-property --runtime {} MemoryMax={}", unit, text);
  }
  if (cgroup_version(patient) == 1) {
    return fmt::format("echo {} > /sys/fs/cgroup/memory{}/memory.limit_in_bytes", text, path);
  }
  return fmt::format("echo {} > /sys/fs/cgroup{}/memory.max", text, path);
}

std::optional<std::string> limit_code(const Patient& patient, double bytes) {
  const std::string path = path_of(patient);
  if (!patient.memcg || path.empty() || !model::identify_cgroup(path).k8s_pod_uid) return std::nullopt;
  return fmt::format("resources:\n  requests: {{memory: \"{0}i\"}}\n  limits:   {{memory: \"{0}i\"}}",
                     limit_text(bytes));
}

std::optional<std::string> throttle_command(const Patient& patient, double bytes) {
  const std::string path = path_of(patient);
  if (!patient.memcg || path.empty() || cgroup_version(patient) != 2) return std::nullopt;
  if (const std::string unit = last_name(path); is_unit(unit)) {
    return fmt::format("systemctl set-property --runtime {} MemoryHigh={}", unit, limit_text(bytes));
  }
  return fmt::format("echo {} > /sys/fs/cgroup{}/memory.high", limit_text(bytes), path);
}

}  // namespace oomtrace::analysis
