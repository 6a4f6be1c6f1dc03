// SPDX-License-Identifier: Apache-2.0
// Cgroup paths of Slurm, Kubernetes and container runtimes, and paths that only look like them.
#include "model/cgroup_identity.h"

#include <gtest/gtest.h>

namespace oomtrace::model {
namespace {

const std::string kId(64, 'a');

TEST(CgroupIdentity, slurm_v1_and_v2) {
  const auto v1 = identify_cgroup("/slurm_node7/uid_1000/job_4711/step_0/task_2");
  EXPECT_EQ(v1.slurm_job, "4711");
  EXPECT_EQ(v1.slurm_step, "0");
  const auto v2 = identify_cgroup("/system.slice/slurmstepd.scope/job_12/step_batch/user/task_0");
  EXPECT_EQ(v2.slurm_job, "12");
  EXPECT_EQ(v2.slurm_step, "batch");
}

TEST(CgroupIdentity, kubernetes_of_both_drivers) {
  const auto cgroupfs = identify_cgroup("/kubepods/burstable/pod0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0/" + kId);
  EXPECT_EQ(cgroupfs.k8s_pod_uid, "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0");
  EXPECT_EQ(cgroupfs.container_id, kId);
  const auto systemd = identify_cgroup(
      "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0f1e2d3c_4b5a_6978_8796_a5b4c3d2e1f0.slice/"
      "cri-containerd-" +
      kId + ".scope");
  EXPECT_EQ(systemd.k8s_pod_uid, "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0");
  EXPECT_EQ(systemd.container_id, kId);
  EXPECT_EQ(systemd.container_runtime, "containerd");
}

TEST(CgroupIdentity, containers) {
  EXPECT_EQ(identify_cgroup("/docker/" + kId).container_id, kId);
  EXPECT_EQ(identify_cgroup("/system.slice/docker-" + kId + ".scope").container_runtime, "docker");
  EXPECT_EQ(identify_cgroup("/machine.slice/libpod-" + kId + ".scope/container").container_runtime, "podman");
}

TEST(CgroupIdentity, look_alikes_are_nothing) {
  EXPECT_FALSE(identify_cgroup("/user.slice/user-1000.slice/session-3.scope").any());
  EXPECT_FALSE(identify_cgroup("/build/job_17/step_1").any());
  EXPECT_FALSE(identify_cgroup("/podcast/poddeadbeef").any());
  EXPECT_FALSE(identify_cgroup("/docker-short.scope").any());
  EXPECT_FALSE(identify_cgroup("").any());
  EXPECT_FALSE(identify_cgroup("/").any());
}

}  // namespace
}  // namespace oomtrace::model
