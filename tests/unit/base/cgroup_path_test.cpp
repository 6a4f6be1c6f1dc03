// SPDX-License-Identifier: Apache-2.0
// The ids that container runtimes and Kubernetes write into cgroup paths.
#include "base/cgroup_path.h"

#include <gtest/gtest.h>

#include <string>

namespace oomtrace {
namespace {

const std::string kId(64, 'a');
const std::string kOther(64, 'b');
constexpr std::string_view kUid = "0f3d1a2b-1111-2222-3333-444455556666";

std::string pod_uid(std::string_view path) {
  const auto uid = pod_uid_of(path);
  return uid ? std::string(uid->view()) : std::string();
}

TEST(CgroupPath, container_ids_of_every_runtime) {
  for (const std::string& path :
       {"/docker/" + kId, "/system.slice/docker-" + kId + ".scope", "/machine.slice/libpod-" + kId + ".scope/container",
        "/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + kId + ".scope", "/kubepods/burstable/podx/" + kId,
        "/kubepods.slice/crio-" + kId + ".scope", "/docker/" + kId + "/init.scope"}) {
    EXPECT_EQ(container_id_of(path), kId) << path;
  }
}

TEST(CgroupPath, the_innermost_container_counts) {
  EXPECT_EQ(container_id_of("/docker/" + kOther + "/docker/" + kId), kId);
}

TEST(CgroupPath, what_is_no_container_has_no_id) {
  for (const std::string& path :
       {std::string(), std::string("/"), std::string("/user.slice/user-1000.slice"), "/docker/" + kId.substr(1),
        "/docker/" + kId + "a", "/x/" + std::string(64, 'A'), "/libpod-conmon-" + kId + ".scope"}) {
    EXPECT_EQ(container_id_of(path), "") << path;
  }
}

TEST(CgroupPath, pod_uids_of_both_drivers) {
  EXPECT_EQ(pod_uid("/kubepods/burstable/pod" + std::string(kUid) + "/" + kId), kUid);
  EXPECT_EQ(pod_uid("/kubepods.slice/kubepods-burstable.slice/"
                    "kubepods-burstable-pod0f3d1a2b_1111_2222_3333_444455556666.slice/crio-" +
                    kId + ".scope"),
            kUid);
  EXPECT_EQ(pod_uid("/kubepods/pod" + std::string(32, 'c')), std::string(32, 'c'));
}

TEST(CgroupPath, what_is_no_pod_has_no_uid) {
  for (const char* path : {"", "/", "/pods/podman", "/machine.slice/pod", "/kubepods/pod0f3d1a2b-1111-2222-3333",
                           "/kubepods/pod0f3d1a2b-1111-2222-3333-44445555666G"}) {
    EXPECT_EQ(pod_uid(path), "") << path;
  }
}

TEST(CgroupPath, slurm_jobs_and_steps_of_both_versions) {
  struct Case {
    const char* path;
    const char* job;
    const char* step;
  };
  for (const Case& one : {Case{"/slurm_node7/uid_1000/job_4711/step_0/task_2", "4711", "0"},
                          Case{"/slurm/uid_0/job_1/step_extern", "1", "extern"},
                          Case{"/system.slice/slurmstepd.scope/job_12/step_batch/user/task_0", "12", "batch"},
                          Case{"/system.slice/node7_slurmstepd.scope/job_12", "12", ""},
                          Case{"/slurm/uid_0/job_1/step_0/job_2/step_3", "1", "0"},
                          Case{"/slurm/uid_0/job_x/step_0", "", ""}, Case{"/slurmy/job_1/step_0", "", ""},
                          Case{"/build/job_17/step_1", "", ""}, Case{"/job_17/slurm", "", ""}, Case{"", "", ""}}) {
    EXPECT_EQ(slurm_ids_of(one.path).job, one.job) << one.path;
    EXPECT_EQ(slurm_ids_of(one.path).step, one.step) << one.path;
  }
}

}  // namespace
}  // namespace oomtrace
