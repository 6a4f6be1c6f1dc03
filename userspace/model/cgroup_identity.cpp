// SPDX-License-Identifier: Apache-2.0
// What the path of a cgroup says of the job in it: Slurm, Kubernetes, a container.
#include "model/cgroup_identity.h"

#include <algorithm>
#include <array>
#include <utility>

namespace oomtrace::model {
namespace {

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool drop_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

void look_for_container(std::string_view component, CgroupIdentity& found) {
  constexpr std::size_t kIdLength = 64;
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kPrefixes{{{"docker-", "docker"},
                                                                                    {"cri-containerd-", "containerd"},
                                                                                    {"crio-", "cri-o"},
                                                                                    {"libpod-", "podman"},
                                                                                    {"nerdctl-", "containerd"}}};
  drop_suffix(component, ".scope");
  std::string_view runtime;
  for (const auto& [prefix, name] : kPrefixes) {
    if (component.starts_with(prefix)) {
      component.remove_prefix(prefix.size());
      runtime = name;
      break;
    }
  }
  if (component.size() != kIdLength || !is_hex(component)) return;
  found.container_id = std::string(component);
  if (!runtime.empty()) found.container_runtime = std::string(runtime);
}

// "pod<uid>" of the cgroupfs driver, "kubepods[-class]-pod<uid with _>.slice" of the systemd driver.
void look_for_pod(std::string_view component, CgroupIdentity& found) {
  drop_suffix(component, ".slice");
  if (component.starts_with("kubepods")) {
    const std::size_t pod = component.find("-pod");
    if (pod == std::string_view::npos) return;
    component.remove_prefix(pod + 1);
  }
  if (!component.starts_with("pod")) return;
  std::string uid(component.substr(3));
  std::replace(uid.begin(), uid.end(), '_', '-');
  std::string digits = uid;
  std::erase(digits, '-');
  // A UUID, or the 32 digits of a static pod.
  if (digits.size() == 32 && is_hex(digits)) found.k8s_pod_uid = std::move(uid);
}

}  // namespace

CgroupIdentity identify_cgroup(std::string_view path) {
  CgroupIdentity found;
  bool slurm = false, kubernetes = false;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view component = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (component.empty()) continue;
    slurm = slurm || component.starts_with("slurm") || component.ends_with("slurmstepd.scope");
    kubernetes = kubernetes || component.starts_with("kubepods");
    if (slurm && component.starts_with("job_") && is_number(component.substr(4))) {
      found.slurm_job = std::string(component.substr(4));
    } else if (found.slurm_job && component.starts_with("step_") && component.size() > 5) {
      found.slurm_step = std::string(component.substr(5));
    }
    if (kubernetes) look_for_pod(component, found);
    look_for_container(component, found);
  }
  return found;
}

}  // namespace oomtrace::model
